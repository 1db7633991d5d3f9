//! The end of the exporter: answers in flight are finished, within a time limit.

use std::time::{Duration, Instant};

use serde_json::Value;
use test_support::audit_event::many_series;
use test_support::exporter::{Exporter, ONE_POLL};
use test_support::raw_http::RawHttp;
use test_support::scripted_api::{ScriptedApi, healthy};

/// An answer that is larger than the buffers of both ends together.
const LARGE: usize = 8_000_000;
/// The time that answers in flight may take, and what a busy machine adds.
const BOUND: Duration = Duration::from_secs(10 + 5);

fn with_a_large_answer(events: &[Value]) -> (ScriptedApi, Exporter) {
    let api = ScriptedApi::start(healthy(events.to_vec()));
    let exporter = Exporter::polling_with(&api, &[&ONE_POLL[..], &["--api.timeout=20s"]].concat());
    exporter.wait_until_up();
    (api, exporter)
}

/// Starts a scrape of which the client has read only the head.
fn in_flight(exporter: &Exporter) -> (RawHttp, usize) {
    let mut scrape = RawHttp::connect_narrow(exporter.program.address());
    scrape.send("GET", "/metrics");
    let length = scrape.read_head().length();
    assert!(length > LARGE, "{length}");
    (scrape, length)
}

#[test]
fn a_scrape_in_flight_is_answered_whole() {
    let events = many_series();
    for signal in ["TERM", "INT"] {
        let (_api, mut exporter) = with_a_large_answer(&events);
        let (mut scrape, length) = in_flight(&exporter);
        exporter.program.signal(signal);
        exporter.program.wait_for_line("shutting down");
        let body = scrape.read_body(length);
        assert_eq!(body.len(), length, "{signal}");
        assert!(body.ends_with('\n'), "{signal}");
        assert!(scrape.is_at_its_end(), "{signal}");
        let ended = exporter.program.wait_for_end(BOUND);
        assert_eq!(
            ended.code(),
            Some(0),
            "{signal}: {}",
            exporter.program.log()
        );
    }
}

#[test]
fn a_client_that_never_reads_does_not_delay_the_shutdown() {
    let (_api, mut exporter) = with_a_large_answer(&many_series());
    let (_scrape, _) = in_flight(&exporter);
    exporter.program.signal("TERM");
    let begun = Instant::now();
    let ended = exporter.program.wait_for_end(BOUND);
    assert_eq!(ended.code(), Some(0), "{}", exporter.program.log());
    assert!(
        begun.elapsed() > Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    exporter
        .program
        .wait_for_line("answers in flight were cut off");
}

#[test]
fn the_shutdown_does_not_wait_for_the_api() {
    use test_support::scripted_answer::Answer;
    let api = ScriptedApi::start(|_| Answer::silence());
    let mut exporter = Exporter::polling_with(&api, &["--api.timeout=10m"]);
    api.wait_for_requests(1, |_| true);
    exporter.program.signal("TERM");
    let ended = exporter.program.wait_for_end(Duration::from_secs(5));
    assert_eq!(ended.code(), Some(0), "{}", exporter.program.log());
}
