//! A scrape as Prometheus sends it, and its answer.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use bytes::Bytes;
use flate2::read::GzDecoder;
use reqwest::{
    Client,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap},
};
use test_support::eventually::repeat_until_ok;
use tokio::runtime::{Builder, Runtime};

/// The family that all peers serve.
pub(crate) const FAMILY: &str = "nexmo_audit_events_total";
/// The time limits of one answer, and of an answer that is accepted.
const LIMIT: Duration = Duration::from_mins(1);
const LONG_LIMIT: Duration = Duration::from_mins(5);
/// The pause between two tries, as a share of the time since the first try.
const PAUSE_SHARE: u32 = 200;
const SHORTEST_PAUSE: Duration = Duration::from_micros(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// The encoding of the body of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
}

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    /// Text 0.0.4, which all peers serve.
    Text,
    OpenMetrics,
}

/// The format and encoding of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ask {
    pub(crate) format: Format,
    pub(crate) encoding: Encoding,
}

impl Ask {
    pub(crate) const TEXT: Self = Self {
        format: Format::Text,
        encoding: Encoding::Identity,
    };

    pub(crate) const OPENMETRICS: Self = Self {
        format: Format::OpenMetrics,
        encoding: Encoding::Identity,
    };

    /// Returns the headers that affect the answer, as Prometheus sends them.
    pub(crate) fn headers(self) -> [(&'static str, &'static str); 4] {
        let accept = match self.format {
            Format::Text => "text/plain;version=0.0.4;q=1,*/*;q=0.1",
            Format::OpenMetrics => "application/openmetrics-text;version=1.0.0,*/*;q=0.1",
        };
        [
            ("Accept", accept),
            ("Accept-Encoding", self.encoding.name()),
            ("User-Agent", "Prometheus/3.5.0"),
            ("X-Prometheus-Scrape-Timeout-Seconds", "10"),
        ]
    }
}

impl Encoding {
    pub(crate) const ALL: [Self; 2] = [Self::Identity, Self::Gzip];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::Identity => "identity",
            Encoding::Gzip => "gzip",
        }
    }
}

/// The answer to a scrape.
pub(crate) struct Answer {
    /// The size as it was sent.
    pub(crate) bytes: usize,
    /// The decoded text.
    pub(crate) text: Vec<u8>,
    /// `true` if the body was encoded with gzip.
    pub(crate) is_gzip: bool,
    pub(crate) is_openmetrics: bool,
    /// The time from the request to the last byte.
    pub(crate) took: Duration,
    /// The time at which the last byte arrived.
    pub(crate) arrived: Instant,
}

impl Answer {
    /// Returns the number of series of [`FAMILY`] in the answer.
    pub(crate) fn series(&self) -> usize {
        let lines = self.text.split(|byte| *byte == b'\n');
        lines.filter(|line| is_series(line)).count()
    }
}

/// Returns `true` if a line is a sample of [`FAMILY`].
pub(crate) fn is_series(line: &[u8]) -> bool {
    let labels = line.strip_prefix(FAMILY.as_bytes());
    labels.is_some_and(|labels| labels.starts_with(b"{"))
}

/// A client that sends one request after the other on one connection.
pub(crate) struct Scraper {
    runtime: Runtime,
    client: Client,
}

impl Scraper {
    pub(crate) fn new() -> Self {
        // A second installation fails and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Builder::new_current_thread().enable_all().build();
        let client = Client::builder()
            .tls_certs_only([])
            .no_proxy()
            .no_gzip()
            .timeout(LIMIT)
            .build();
        Self {
            runtime: runtime.expect("a runtime"),
            client: client.expect("a client"),
        }
    }

    /// Returns the answer with status 200, or why there is none.
    pub(crate) fn ask(&self, url: &str, ask: Ask) -> Result<Answer, String> {
        let started = Instant::now();
        let (headers, body) = self.read(url, ask)?;
        let arrived = Instant::now();
        let holds = |name, text| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.is_some_and(|value| value.contains(text))
        };
        let is_gzip = holds(CONTENT_ENCODING, "gzip");
        let mut text = Vec::new();
        if is_gzip {
            let read = GzDecoder::new(&*body).read_to_end(&mut text);
            read.map_err(|error| error.to_string())?;
        } else {
            text.extend_from_slice(&body);
        }
        Ok(Answer {
            bytes: body.len(),
            text,
            is_gzip,
            is_openmetrics: holds(CONTENT_TYPE, "openmetrics"),
            took: arrived - started,
            arrived,
        })
    }

    /// Returns the time to an answer with status 200, whose body is thrown away.
    pub(crate) fn time(&self, url: &str, ask: Ask) -> Result<Duration, String> {
        let started = Instant::now();
        self.read(url, ask)?;
        Ok(started.elapsed())
    }

    fn read(&self, url: &str, ask: Ask) -> Result<(HeaderMap, Bytes), String> {
        let read = async {
            let mut request = self.client.get(url);
            for (name, value) in ask.headers() {
                request = request.header(name, value);
            }
            let response = request.send().await?.error_for_status()?;
            let headers = response.headers().clone();
            Ok((headers, response.bytes().await?))
        };
        let answer = self.runtime.block_on(read);
        answer.map_err(|error: reqwest::Error| format!("{error:?}"))
    }

    /// Asks until `holds` accepts the answer; panics if it never does.
    pub(crate) fn ask_until(&self, url: &str, ask: Ask, holds: impl Fn(&Answer) -> bool) -> Answer {
        let pause =
            |elapsed: Duration| (elapsed / PAUSE_SHARE).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        let look = || match self.ask(url, ask)? {
            answer if holds(&answer) => Ok(answer),
            answer => Err(format!("{} series", answer.series())),
        };
        repeat_until_ok(LONG_LIMIT, pause, look)
            .unwrap_or_else(|last| panic!("{url} does not do: {last}"))
    }
}
