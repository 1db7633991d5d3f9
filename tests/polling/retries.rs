//! Pages that fail in the middle of a poll.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use test_support::audit_event::events;
use test_support::exporter::is;
use test_support::exposition;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, listing};

use crate::paused_exporter::PausedExporter;

const STEP: Duration = Duration::from_millis(500);
const SETTINGS: &[&str] = &["--poll.interval=10m", "--poll.start=1h"];

/// A list of 250 events whose page 2 fails so many times.
async fn polling(failures: usize, failure: Answer) -> PausedExporter {
    let all = events(250, "A");
    let failed = AtomicUsize::new(0);
    let script = move |request: &Request| {
        if request.page() == 2 && failed.fetch_add(1, Ordering::SeqCst) < failures {
            return failure.clone();
        }
        let number = usize::try_from(request.page()).expect("a page");
        let shown = all.chunks(100).nth(number - 1).unwrap_or_default();
        Answer::page(shown, json!(250), json!(3))
    };
    let api = ScriptedApi::start_here(listing(script)).await;
    PausedExporter::polling(api, SETTINGS).await
}

async fn failures(exporter: &PausedExporter) -> f64 {
    let name = "nexmo_audit_poll_failures_total";
    let samples = exposition::samples(&exporter.metrics().await);
    let of_polls = samples.iter().filter(|sample| sample.name == name);
    of_polls.map(|sample| sample.value).sum()
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_is_requested_again_within_the_poll() {
    for failure in [
        Answer::error(503, "No."),
        Answer::error(429, "No.").header("Retry-After", "5"),
        Answer::reset(),
    ] {
        let exporter = polling(3, failure).await;
        exporter.pass(STEP, Duration::from_secs(20)).await;
        assert!(is(250.0)(exporter.counted().await));
        assert!(is(0.0)(failures(&exporter).await));
        assert!(is(1.0)(exporter.value("nexmo_audit_up").await));
        let pages = exporter.api.requests();
        let second = pages.iter().filter(|r| r.is_list() && r.page() == 2);
        assert_eq!(second.count(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_keeps_failing_fails_the_poll_and_the_others_count() {
    let exporter = polling(4, Answer::error(503, "No.")).await;
    exporter.pass(STEP, Duration::from_secs(4)).await;
    assert!(is(1.0)(failures(&exporter).await));
    assert!(is(0.0)(exporter.value("nexmo_audit_up").await));
    exporter.pass(STEP, Duration::from_secs(10)).await;
    assert!(is(250.0)(exporter.counted().await));
    assert!(is(150.0)(
        exporter.value("nexmo_audit_duplicate_events_total").await
    ));
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_minutes_fails_the_poll() {
    let failure = Answer::error(429, "No.").header("Retry-After", "120");
    let exporter = polling(1, failure).await;
    exporter.pass(STEP, Duration::from_secs(4)).await;
    assert!(is(1.0)(failures(&exporter).await));
}
