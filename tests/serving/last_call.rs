//! The last call: after a signal to end, the exporter serves until each server that
//! scrapes has fetched what is shown.

use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::audit_event::event;
use test_support::eventually::eventually;
use test_support::exporter::Exporter;
use test_support::raw_http::RawHttp;
use test_support::scripted_api::{ScriptedApi, healthy};

const PROMETHEUS: [(&str, &str); 2] = [
    ("User-Agent", "Prometheus/3.5.0"),
    ("X-Prometheus-Scrape-Timeout-Seconds", "2"),
];
/// The time until a count is shown, which waits for a hold.
const SHOWN: Duration = Duration::from_secs(30);
/// The time in which a program ends that waits for nothing, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);

/// An exporter that counts one type, and a server that scrapes it.
struct Scraped {
    api: ScriptedApi,
    exporter: Exporter,
    events: Vec<Value>,
}

impl Scraped {
    /// Starts both, and waits until the gate lets counts be shown as they come.
    fn start(more: &[&str]) -> Self {
        let api = ScriptedApi::start(healthy(Vec::new()));
        let settings = ["--metrics.scrape-interval=2s"];
        let exporter = Exporter::polling_with(&api, &[&settings, more].concat());
        exporter.wait_until_up();
        let mut scraped = Self {
            api,
            exporter,
            events: Vec::new(),
        };
        // Until the first scrape, every count is shown at once.
        assert_eq!(scraped.scrape(), Some(0));
        scraped.count(1);
        eventually("a step", SHOWN, || match scraped.scrape() {
            Some(1) => Ok(()),
            value => Err(format!("{value:?}")),
        });
        scraped
    }

    /// Lets this number of events happen.
    fn count(&mut self, number: usize) {
        for _ in 0..number {
            let id = format!("event-{}", self.events.len());
            self.events.push(event(&id, "NUMBER_ASSIGN"));
        }
        self.api.follow(healthy(self.events.clone()));
    }

    /// Lets events happen, and waits until a person sees them. The server does not scrape
    /// meanwhile.
    fn show(&mut self, number: usize) {
        self.count(number);
        let expected = self.events.len() as u64;
        eventually("shown events", SHOWN, || {
            match value(&self.exporter.page("/metrics")) {
                Some(shown) if shown == expected => Ok(()),
                shown => Err(format!("{shown:?}")),
            }
        });
    }

    /// Returns the value that the server sees.
    fn scrape(&self) -> Option<u64> {
        let mut server = RawHttp::connect(self.exporter.program.address());
        let (head, body) = server.get_as("/metrics", &PROMETHEUS);
        assert_eq!(head.status, 200);
        value(&String::from_utf8(body).expect("text"))
    }

    fn terminate(&self) {
        self.exporter.program.signal("TERM");
        self.exporter.program.wait_for_line("shutting down");
    }

    /// Waits until the exporter waits for this number of servers.
    fn wait_for_wait(&self, servers: usize) {
        let program = &self.exporter.program;
        let line = program.wait_for_line("waiting until servers that scrape");
        assert!(line.contains(&format!("servers={servers} ")), "{line}");
    }

    /// Waits until the exporter has ended, and returns how long that took.
    fn wait_for_end(&mut self, longest: Duration) -> Duration {
        let begun = Instant::now();
        let ended = self.exporter.program.wait_for_end(longest);
        assert_eq!(ended.code(), Some(0), "{}", self.exporter.program.log());
        begun.elapsed()
    }

    fn log(&self) -> String {
        self.exporter.program.log()
    }
}

/// Returns the value of the only type that is counted.
fn value(metrics: &str) -> Option<u64> {
    let name = "nexmo_audit_events_by_type_total{event_type=\"NUMBER_ASSIGN\"} ";
    let value = metrics.lines().find_map(|line| line.strip_prefix(name))?;
    value.parse().ok()
}

#[test]
fn events_that_were_shown_last_are_fetched_before_the_end() {
    let mut scraped = Scraped::start(&["--web.shutdown-timeout=5m"]);
    scraped.show(5);
    scraped.terminate();
    scraped.wait_for_wait(1);
    for (probe, status) in [("/-/ready", 503), ("/-/healthy", 200), ("/", 200)] {
        assert_eq!(scraped.exporter.status(probe), status, "{probe}");
    }
    // Events that happen now are counted by the next process.
    let asked = scraped.api.requests().len();
    scraped.count(1);
    assert_eq!(value(&scraped.exporter.page("/metrics")), Some(6));
    // A person is not waited for.
    assert_eq!(scraped.scrape(), Some(6));
    scraped.wait_for_end(AT_ONCE);
    assert_eq!(scraped.api.requests().len(), asked, "polling has stopped");
    let log = scraped.log();
    assert!(log.contains("have fetched the last counts"), "{log}");
}

#[test]
fn an_exporter_ends_at_once_if_nothing_is_left_to_fetch() {
    let mut fetched = Scraped::start(&["--web.shutdown-timeout=5m"]);
    fetched.show(1);
    assert_eq!(fetched.scrape(), Some(2));
    fetched.terminate();
    fetched.wait_for_end(AT_ONCE);
    let log = fetched.log();
    assert!(!log.contains("waiting until"), "{log}");

    let api = ScriptedApi::start(healthy(vec![event("one", "NUMBER_ASSIGN")]));
    for more in ["--metrics.scrape-interval=0", "--web.shutdown-timeout=0"] {
        let mut exporter = Exporter::polling_with(&api, &[more]);
        exporter.wait_until_up();
        exporter.program.signal("INT");
        let ended = exporter.program.wait_for_end(AT_ONCE);
        assert_eq!(ended.code(), Some(0), "{}", exporter.program.log());
    }
}

#[test]
fn a_server_that_does_not_come_is_waited_for_until_the_timeout_and_named() {
    let mut scraped = Scraped::start(&["--web.shutdown-timeout=3s"]);
    scraped.show(1);
    scraped.terminate();
    scraped.wait_for_wait(1);
    let asked = scraped.api.requests().len();
    let took = scraped.wait_for_end(Duration::from_secs(3) + AT_ONCE);
    assert!(took > Duration::from_secs(2), "{took:?}");
    assert_eq!(scraped.api.requests().len(), asked, "polling has stopped");
    let lines = scraped.exporter.program.lines();
    let missing = "did not fetch the last counts in time";
    let line = lines.iter().find(|line| line.contains(missing));
    let line = line.unwrap_or_else(|| panic!("{}", scraped.log()));
    assert!(line.contains("addresses=127.0.0.1"), "{line}");
}

#[test]
fn another_signal_ends_the_wait() {
    for signal in ["TERM", "INT"] {
        let mut scraped = Scraped::start(&["--web.shutdown-timeout=5m"]);
        scraped.show(1);
        scraped.terminate();
        scraped.wait_for_wait(1);
        scraped.exporter.program.signal(signal);
        scraped.wait_for_end(AT_ONCE);
        let log = scraped.log();
        assert!(log.contains("another signal ended the wait"), "{log}");
    }
}

#[test]
fn accounts_stay_shown_after_polling_has_stopped_and_a_reload_is_refused() {
    let lifecycle = ["--web.shutdown-timeout=5m", "--web.enable-lifecycle"];
    let mut scraped = Scraped::start(&lifecycle);
    scraped.show(1);
    scraped.terminate();
    scraped.wait_for_wait(1);
    let mut http = RawHttp::connect(scraped.exporter.program.address());
    http.send("POST", "/-/reload");
    assert_eq!(http.read_head().status, 503);
    let shown = scraped.exporter.value("nexmo_audit_up", &[]);
    assert!((shown - 1.0).abs() < f64::EPSILON, "{shown}");
    assert_eq!(scraped.scrape(), Some(2));
    scraped.wait_for_end(AT_ONCE);
}
