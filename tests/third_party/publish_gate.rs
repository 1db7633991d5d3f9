//! What the publish gate promises on real servers: strangers, crash loops and servers that
//! left delay no event for long, and no increase is lost.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use test_support::audit_event::{event, with};
use test_support::eventually::eventually;
use test_support::exposition::value;
use test_support::http::HttpClient;
use test_support::pacing;
use test_support::program::command;
use test_support::raw_http::RawHttp;
use test_support::restartable::{Restartable, Signal, free_port};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, listing};
use test_support::tools;

use crate::prometheus_server::Prometheus;

const HOLD: &str = "nexmo_audit_publish_hold_seconds";
/// The time within which a server that scrapes every second is known, on a busy machine.
const KNOWN: Duration = Duration::from_secs(40);
/// The hold of a scrape interval of a second, in seconds.
const SHORT_HOLD: f64 = 3.5;
/// How long a new series may wait for a client that has scraped once, and may then take
/// until it is seen.
const STRANGER: Duration = Duration::from_secs(100);
/// The time within which a step of a known series is seen: two holds, a poll, a scrape, and
/// the time that a busy machine takes.
const STEP: Duration = Duration::from_secs(20);

/// An exporter that polls a scripted API every half second.
struct Setup {
    _api: ScriptedApi,
    events: Arc<Mutex<Vec<Value>>>,
    exporter: Restartable,
    port: u16,
    http: HttpClient,
    _folder: tempfile::TempDir,
}

impl Setup {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let listed = Arc::clone(&events);
        let api = ScriptedApi::start(listing(move |_| {
            Answer::list(&listed.lock().expect("no panic"))
        }));
        let port = free_port();
        let arguments = [
            "serve".to_owned(),
            format!("--api.base-url={}", api.base_url()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            format!("--web.listen-address=[::1]:{port}"),
            format!("--storage.path={}", folder.path().join("state").display()),
            "--poll.interval=500ms".to_owned(),
            "--api.max-requests-per-second=1000".to_owned(),
        ];
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
    fn record(&self, country: &str) {
        let mut events = self.events.lock().expect("no panic");
        let event = event(&format!("event-{}", events.len()), "ACCOUNT_SECRET_DELETE");
        events.push(with(event, "source_country", country.into()));
    }

    fn metrics(&self) -> Result<String, String> {
        self.http
            .get_body(&format!("http://127.0.0.1:{}/metrics", self.port))
    }

    /// Sends a single request that looks like a scrape with this time limit.
    fn ask_as_a_stranger(&self, seconds: &str) {
        let mut stranger = RawHttp::connect(([127, 0, 0, 1], self.port).into());
        let limit = ("X-Prometheus-Scrape-Timeout-Seconds", seconds);
        let agent = ("User-Agent", "Prometheus-of-a-stranger/1.0");
        let (head, _) = stranger.get_as("/metrics", &[limit, agent]);
        assert_eq!(head.status, 200);
    }

    fn exported(&self, name: &str) -> f64 {
        let metrics = self.metrics().expect("metrics");
        value(&metrics, name, &[]).expect(name)
    }

    /// Starts a server that scrapes every second by this address of the exporter, and waits
    /// until the gate knows it.
    fn scraped_by(&self, program: &Path, address: &str) -> Prometheus {
        let server = Prometheus::start(program, &self.scrape_config(address));
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

    fn scrape_config(&self, address: &str) -> String {
        format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n\
             - job_name: audit\n  \
               static_configs: [{{targets: ['{address}:{}']}}]\n",
            self.port
        )
    }
}

/// Returns the expression that an alert would have for events of this country.
fn increase(country: &str) -> String {
    format!("sum(increase(nexmo_audit_events_total{{source_country=\"{country}\"}}[5m]))")
}

fn is_seen(increase: f64) -> bool {
    increase > 0.0
}

/// Returns the expression for the number of events of this country that the server was
/// shown. `increase()` estimates, so it cannot tell one event from two.
fn shown(country: &str) -> String {
    format!("sum(max_over_time(nexmo_audit_events_total{{source_country=\"{country}\"}}[5m]))")
}

fn are_two(shown: f64) -> bool {
    shown > 1.5
}

fn newest() -> Option<PathBuf> {
    tools::first_of(&["prometheus-3", "prometheus-2.53"])
}

fn a_stranger_delays_nothing_on(program: &Path) {
    let setup = Setup::start();
    let server = setup.scraped_by(program, "127.0.0.1");
    setup.record("GB");
    server.expect(&increase("GB"), STEP, is_seen);
    setup.ask_as_a_stranger("3600");
    assert!(setup.exported(HOLD) <= SHORT_HOLD);
    setup.record("GB");
    setup.record("FR");
    server.expect(&shown("GB"), STEP, are_two);
    server.expect(&increase("FR"), STRANGER, is_seen);
    assert!(setup.exported(HOLD) <= SHORT_HOLD);
    assert!(setup.exported("nexmo_audit_gate_timeouts_total") < 1.0);
}

#[test]
fn a_stranger_who_states_hours_delays_no_step_and_a_new_series_by_a_minute() {
    if let Some(program) = tools::require("prometheus") {
        a_stranger_delays_nothing_on(&program);
    }
}

#[test]
fn a_stranger_delays_nothing_on_the_newest_server_either() {
    if let Some(program) = newest() {
        a_stranger_delays_nothing_on(&program);
    }
}

fn a_crash_loop_is_not_silent_on(program: &Path) {
    /// Shorter than the hold of 3 seconds.
    const LIFE: Duration = Duration::from_secs(2);
    let mut setup = Setup::start();
    let server = setup.scraped_by(program, "127.0.0.1");
    setup.record("GB");
    server.expect(&increase("GB"), STEP, is_seen);
    let mut lives = 0;
    // The event comes while the gate stands still, so that it has to wait.
    setup.exporter.stop(Signal::Kill);
    setup.record("GB");
    while !server.value(&shown("GB")).is_ok_and(are_two) {
        lives += 1;
        assert!(lives <= 10, "nothing is shown in {lives} lives of {LIFE:?}");
        setup.exporter.start();
        pacing::wait(LIFE);
        setup.exporter.stop(Signal::Kill);
    }
    // The count of what the gate let through goes on over restarts.
    setup.exporter.start();
    let timeouts = eventually("metrics", STEP, || {
        let metrics = setup.metrics()?;
        let found = value(&metrics, "nexmo_audit_gate_timeouts_total", &[]);
        found.ok_or(metrics)
    });
    assert!(timeouts >= 1.0, "{timeouts}");
}

#[test]
fn a_crash_loop_that_is_faster_than_the_hold_does_not_silence_the_exporter() {
    if let Some(program) = tools::require("prometheus") {
        a_crash_loop_is_not_silent_on(&program);
    }
}

#[test]
fn a_crash_loop_is_not_silent_on_the_newest_server_either() {
    if let Some(program) = newest() {
        a_crash_loop_is_not_silent_on(&program);
    }
}

#[test]
fn a_server_that_takes_the_place_of_another_one_delays_no_new_series() {
    let (Some(old), Some(new)) = (tools::require("prometheus"), newest()) else {
        return;
    };
    let setup = Setup::start();
    let server = setup.scraped_by(&old, "127.0.0.1");
    setup.record("GB");
    server.expect(&increase("GB"), STEP, is_seen);
    drop(server);
    // The same product, from another address.
    let server = setup.scraped_by(&new, "[::1]");
    server.expect("count_over_time(up[5m])", KNOWN, |scrapes| scrapes > 6.0);
    setup.record("FR");
    server.expect(&increase("FR"), STEP, is_seen);
}
