//! The answers of a scripted API, down to their bytes.

use std::io;
use std::io::Write as _;
use std::time::{Duration, SystemTime};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// The pause between two bytes of a trickled body, which is short beside the time limit
/// of a request.
const BETWEEN_BYTES: Duration = Duration::from_millis(50);

/// An answer, which is well formed unless a test makes it otherwise.
#[derive(Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    dated: bool,
    body: Body,
    then: Then,
}

/// The bytes after the head.
#[derive(Clone)]
enum Body {
    Whole(Vec<u8>),
    /// The body is sent this number of times.
    Repeated(Vec<u8>, usize),
    /// The body is shorter than the head claims.
    Short(Vec<u8>),
}

/// The fate of the connection after the answer.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    NextRequest,
    Close,
    Reset,
    /// The body is sent a byte at a time; then the next request is read.
    Trickle,
    /// Nothing more is sent, for longer than any client waits.
    Silence,
}

impl Answer {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            dated: true,
            body: Body::Whole(body.into()),
            then: Then::NextRequest,
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string()).header("Content-Type", "application/json")
    }

    /// Makes the only page of a list.
    pub fn list(events: &[Value]) -> Self {
        Self::page(events, json!(events.len()), json!(1))
    }

    /// Makes a page that claims these numbers of events and pages.
    pub fn page(events: &[Value], elements: Value, pages: Value) -> Self {
        let mut page = json!({"size": 100, "number": 1});
        page["totalElements"] = elements;
        page["totalPages"] = pages;
        let links = json!({"self": {"href": "http://api.nexmo.com/beta/audit/events"}});
        Self::json(
            200,
            &json!({"_embedded": {"events": events}, "_links": links, "page": page}),
        )
    }

    /// Makes the answer to OPTIONS that names these types.
    pub fn types(names: &[&str]) -> Self {
        let types: Vec<_> = names
            .iter()
            .map(|name| json!({"type": name, "description": format!("{name} in words")}))
            .collect();
        Self::json(200, &json!({"eventTypes": types}))
    }

    /// Makes an error as the vendor documents it.
    pub fn error(status: u16, message: &str) -> Self {
        let body = json!({"status": status, "error": "Error", "message": message});
        Self::json(status, &body)
    }

    /// Resets the connection instead of answering.
    pub fn reset() -> Self {
        Self::new(0, "").then(Then::Reset)
    }

    /// Takes the request and never answers.
    pub fn silence() -> Self {
        Self::new(0, "").then(Then::Silence)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without_date(mut self) -> Self {
        self.dated = false;
        self
    }

    /// Sets the `Date` header to this time instead of the present.
    pub fn dated(self, time: SystemTime) -> Self {
        self.without_date()
            .header("Date", &httpdate::fmt_http_date(time))
    }

    /// Sends half of the body, and then closes the connection.
    pub fn cut(self) -> Self {
        self.half().then(Then::Close)
    }

    /// Sends half of the body, and then nothing more.
    pub fn stalled(self) -> Self {
        self.half().then(Then::Silence)
    }

    /// Closes the connection after the answer, although the head does not announce
    /// that.
    pub fn then_closed(self) -> Self {
        self.then(Then::Close)
    }

    /// Sends the body a byte at a time, so that the client never waits long for a byte.
    pub fn trickled(mut self) -> Self {
        self.then = Then::Trickle;
        self
    }

    /// Sends the body `times` times over.
    pub fn repeated(mut self, times: usize) -> Self {
        self.body = Body::Repeated(self.whole(), times);
        self
    }

    /// Compresses the body. A compressed body can be repeated, since members of gzip
    /// may be joined.
    pub fn gzip(mut self) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&self.whole()).expect("memory");
        self.body = Body::Whole(encoder.finish().expect("memory"));
        self.header("Content-Encoding", "gzip")
    }

    /// Returns the body, from which a test makes another body.
    pub fn text(&self) -> String {
        String::from_utf8(self.whole()).expect("text")
    }

    fn half(mut self) -> Self {
        let mut body = self.whole();
        body.truncate(body.len() / 2);
        self.body = Body::Short(body);
        self
    }

    fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    fn whole(&self) -> Vec<u8> {
        match &self.body {
            Body::Whole(body) | Body::Repeated(body, _) | Body::Short(body) => body.clone(),
        }
    }

    fn length_claimed(&self) -> usize {
        match &self.body {
            Body::Whole(body) => body.len(),
            Body::Repeated(body, times) => body.len() * times,
            Body::Short(body) => 2 * body.len() + 1,
        }
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        let mut add = |name: &str, value: &str| {
            head.extend([name, ": ", value, "\r\n"]);
        };
        if self.dated {
            add("Date", &httpdate::fmt_http_date(SystemTime::now()));
        }
        for (name, value) in &self.headers {
            add(name, value);
        }
        if self.status != 204 {
            add("Content-Length", &self.length_claimed().to_string());
        }
        head.push_str("\r\n");
        head
    }

    /// Returns `true` if the client never gets an answer.
    pub(crate) fn is_silent(&self) -> bool {
        self.then == Then::Silence
    }

    /// Sends the answer, and returns `true` if the connection can serve another
    /// request.
    pub(crate) async fn send(&self, stream: &mut TcpStream) -> io::Result<bool> {
        if self.status != 0 {
            stream.write_all(self.head().as_bytes()).await?;
            let (piece, times) = match &self.body {
                Body::Whole(body) | Body::Short(body) => (body, 1),
                Body::Repeated(body, times) => (body, *times),
            };
            for _ in 0..times {
                self.send_piece(stream, piece).await?;
            }
        }
        match self.then {
            Then::Reset => stream.set_zero_linger()?,
            Then::Silence => std::future::pending().await,
            Then::NextRequest | Then::Close | Then::Trickle => {}
        }
        Ok(matches!(self.then, Then::NextRequest | Then::Trickle))
    }

    async fn send_piece(&self, stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
        if self.then != Then::Trickle {
            return stream.write_all(piece).await;
        }
        for byte in piece.chunks(1) {
            stream.write_all(byte).await?;
            tokio::time::sleep(BETWEEN_BYTES).await;
        }
        Ok(())
    }
}
