//! The servers that scrape: which requests are scrapes, and which answers they have seen.

use std::time::Duration;

use serde_json::Value;
use test_support::audit_event::{event, many_series};
use test_support::eventually::{eventually, reached};
use test_support::exporter::Exporter;
use test_support::raw_http::RawHttp;
use test_support::scripted_api::{ScriptedApi, healthy};

/// The header that Prometheus sends with every scrape.
const PROMETHEUS: [(&str, &str); 1] = [("X-Prometheus-Scrape-Timeout-Seconds", "1")];
/// The hold of a scrape interval of one second.
const HOLD: Duration = Duration::from_secs(3);
/// A time in which an exporter shows what it is going to show.
const LONG_HOLD: Duration = Duration::from_secs(20);

fn counting(events: Vec<Value>) -> (ScriptedApi, Exporter) {
    let api = ScriptedApi::start(healthy(events));
    let settings = [
        "--metrics.scrape-interval=1s",
        "--poll.interval=500ms",
        "--api.timeout=20s",
    ];
    let exporter = Exporter::polling_with(&api, &settings);
    exporter.wait_until_up();
    (api, exporter)
}

/// Returns the value of the series of `NUMBER_ASSIGN` by source; `None` if there is no such
/// series.
fn assigned(metrics: &str) -> Option<u64> {
    let name = "nexmo_audit_events_total{event_type=\"NUMBER_ASSIGN\"";
    let line = metrics.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.rsplit_once(' ')?;
    value.parse().ok()
}

/// Scrapes on a connection of its own.
fn scrape(exporter: &Exporter, headers: &[(&str, &str)]) -> Option<u64> {
    let mut scraper = RawHttp::connect(exporter.program.address());
    let (head, body) = scraper.get_as("/metrics", headers);
    assert_eq!(head.status, 200);
    assigned(&String::from_utf8(body).expect("text"))
}

#[test]
fn an_answer_that_is_cut_was_not_seen() {
    let (api, exporter) = counting(many_series());
    let cut = || {
        let mut scraper = RawHttp::connect_narrow(exporter.program.address());
        scraper.send_with("GET", "/metrics", &PROMETHEUS);
        assert_eq!(scraper.read_head().status, 200);
    };
    cut();
    api.follow(healthy(vec![event("new", "NUMBER_ASSIGN")]));
    exporter.wait_for_text("/metrics", "events_total{event_type=\"NUMBER_ASSIGN\"");
    let steps_unseen = reached(HOLD * 3, || {
        cut();
        assigned(&exporter.page("/metrics")) != Some(0)
    });
    assert!(!steps_unseen, "nobody has seen the 0");
    assert_eq!(scrape(&exporter, &PROMETHEUS), Some(0));
    eventually("the event", LONG_HOLD, || {
        match scrape(&exporter, &PROMETHEUS) {
            Some(1) => Ok(()),
            value => Err(format!("{value:?}")),
        }
    });
}
