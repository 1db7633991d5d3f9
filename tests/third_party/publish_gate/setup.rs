//! The exporter on a scripted API, and the servers that scrape it.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use test_support::audit_event::{event, with};
use test_support::eventually::eventually;
use test_support::exposition::value;
use test_support::http::HttpClient;
use test_support::program::command;
use test_support::raw_http::RawHttp;
use test_support::restartable::{Restartable, free_port};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, listing};

use crate::prometheus_server::Prometheus;

pub(super) const HOLD: &str = "nexmo_audit_publish_hold_seconds";
/// The time within which a server that scrapes every second is known, on a busy machine.
pub(super) const KNOWN: Duration = Duration::from_secs(40);
/// The hold of a scrape interval of a second, in seconds.
pub(super) const SHORT_HOLD: f64 = 3.5;
/// How long a new series may wait for a client that has scraped once, and may then take
/// until it is seen.
pub(super) const STRANGER: Duration = Duration::from_secs(100);
/// The time within which a step of a known series is seen: two holds, a poll, a scrape, and
/// the time that a busy machine takes.
pub(super) const STEP: Duration = Duration::from_secs(20);

/// An exporter that polls a scripted API every half second.
pub(super) struct Setup {
    _api: ScriptedApi,
    events: Arc<Mutex<Vec<Value>>>,
    pub(super) exporter: Restartable,
    pub(super) port: u16,
    http: HttpClient,
    _folder: tempfile::TempDir,
}

impl Setup {
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts the exporter with these flags as well.
    pub(super) fn start_with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let listed = Arc::clone(&events);
        let api = ScriptedApi::start(listing(move |_| {
            Answer::list(&listed.lock().expect("no panic"))
        }));
        let port = free_port();
        let mut arguments = vec![
            "serve".to_owned(),
            format!("--api.base-url={}", api.base_url()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            format!("--web.listen-address=[::1]:{port}"),
            format!("--storage.path={}", folder.path().join("state").display()),
            "--poll.interval=500ms".to_owned(),
            "--api.max-requests-per-second=1000".to_owned(),
        ];
        arguments.extend(more.iter().map(ToString::to_string));
        let serve = move || {
            let mut command: Command = command();
            command.args(&arguments);
            command
        };
        let mut exporter = Restartable::new("exporter", folder.path(), serve);
        exporter.start();
        Self {
            _api: api,
            events,
            exporter,
            port,
            http: HttpClient::new(),
            _folder: folder,
        }
    }

    /// Lets the API record an event with this country.
    pub(super) fn record(&self, country: &str) {
        let mut events = self.events.lock().expect("no panic");
        let event = event(&format!("event-{}", events.len()), "ACCOUNT_SECRET_DELETE");
        events.push(with(event, "source_country", country.into()));
    }

    pub(super) fn metrics(&self) -> Result<String, String> {
        self.http
            .get_body(&format!("http://127.0.0.1:{}/metrics", self.port))
    }

    /// Sends a single request that looks like a scrape with this time limit.
    pub(super) fn ask_as_a_stranger(&self, seconds: &str) {
        let mut stranger = RawHttp::connect(([127, 0, 0, 1], self.port).into());
        let limit = ("X-Prometheus-Scrape-Timeout-Seconds", seconds);
        let agent = ("User-Agent", "Prometheus-of-a-stranger/1.0");
        let (head, _) = stranger.get_as("/metrics", &[limit, agent]);
        assert_eq!(head.status, 200);
    }

    pub(super) fn exported(&self, name: &str) -> f64 {
        let metrics = self.metrics().expect("metrics");
        value(&metrics, name, &[]).expect(name)
    }

    /// Starts a server that scrapes every second by this address of the exporter, and waits
    /// until the gate knows it.
    pub(super) fn scraped_by(&self, program: &Path, address: &str) -> Prometheus {
        let target = format!("{address}:{}", self.port);
        let server = Prometheus::start(program, &scrape_config(&target, 1));
        server.expect("count_over_time(up[5m])", KNOWN, |scrapes| scrapes > 5.0);
        eventually("short hold", KNOWN, || {
            let metrics = self.metrics()?;
            let hold = value(&metrics, HOLD, &[]).unwrap_or_default();
            if hold > 0.0 && hold <= SHORT_HOLD {
                Ok(())
            } else {
                Err(format!("{hold}\n{}", self.exporter.log()))
            }
        });
        server
    }
}

/// Returns the configuration of a server that scrapes this target every so many seconds.
pub(super) fn scrape_config(target: &str, seconds: u64) -> String {
    format!(
        "global: {{scrape_interval: {seconds}s, scrape_timeout: 1s}}\n\
         scrape_configs:\n\
         - job_name: audit\n  \
           static_configs: [{{targets: ['{target}']}}]\n"
    )
}

/// Returns the expression that an alert would have for events of this country.
pub(super) fn increase(country: &str) -> String {
    format!("sum(increase(nexmo_audit_events_total{{source_country=\"{country}\"}}[5m]))")
}

pub(super) fn is_seen(increase: f64) -> bool {
    increase > 0.0
}

/// Returns the expression for the number of events of this country that the server was
/// shown. `increase()` estimates, so it cannot tell one event from two.
pub(super) fn shown(country: &str) -> String {
    format!("sum(max_over_time(nexmo_audit_events_total{{source_country=\"{country}\"}}[5m]))")
}

pub(super) fn are_two(shown: f64) -> bool {
    shown > 1.5
}
