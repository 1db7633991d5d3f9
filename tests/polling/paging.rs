//! The pages that a poll asks for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use test_support::audit_event::{event, events};
use test_support::exporter::{ONE_POLL, is};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, listing};

use crate::paused_exporter::PausedExporter;

const STEP: Duration = Duration::from_secs(1);
const SETTINGS: &[&str] = &[ONE_POLL[0], ONE_POLL[1], "--poll.start=1h"];

fn lists(exporter: &PausedExporter) -> Vec<Request> {
    let requests = exporter.api.requests();
    requests.into_iter().filter(Request::is_list).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_are_counted_from_1_and_hold_100() {
    let all = events(250, "A");
    let api = ScriptedApi::start_here(listing(move |request| {
        let first = 100 * (usize::try_from(request.page()).expect("a page") - 1);
        let shown: Vec<_> = all.iter().skip(first).take(100).cloned().collect();
        Answer::page(&shown, json!(250), json!(3))
    }))
    .await;
    let exporter = PausedExporter::polling(api, SETTINGS).await;
    exporter.pass(STEP, 3 * STEP).await;
    let asked = lists(&exporter);
    let pages: Vec<_> = asked.iter().map(Request::page).collect();
    assert_eq!(pages, [1, 2, 3]);
    for request in &asked {
        assert_eq!(request.parameter("size").as_deref(), Some("100"));
        assert_eq!(
            request.parameter("date_from"),
            asked[0].parameter("date_from")
        );
        assert_eq!(request.parameter("date_to"), None);
    }
    assert!(is(250.0)(exporter.counted().await));
}

/// A list with the newest event first, to which every page that is read adds an event,
/// without end.
fn shifting() -> impl Fn(&Request) -> Answer + Send + Sync {
    let arrived = AtomicUsize::new(0);
    listing(move |request| {
        let new = if request.parameter("date_to").is_some() {
            arrived.load(Ordering::SeqCst)
        } else {
            arrived.fetch_add(1, Ordering::SeqCst)
        };
        let newest = (0..new).rev().map(|n| event(&format!("new-{n}"), "NEW"));
        let all: Vec<_> = newest.chain(events(150, "OLD")).collect();
        let first = 100 * (usize::try_from(request.page()).expect("a page") - 1);
        let shown: Vec<_> = all.iter().skip(first).take(100).cloned().collect();
        Answer::page(&shown, json!(all.len()), json!(all.len().div_ceil(100)))
    })
}

#[tokio::test(start_paused = true)]
async fn pages_that_shift_are_read_again_up_to_where_the_first_reading_began() {
    let api = ScriptedApi::start_here(shifting()).await;
    let exporter = PausedExporter::polling(api, SETTINGS).await;
    exporter.pass(STEP, 3 * STEP).await;
    let asked = lists(&exporter);
    let pages: Vec<_> = asked.iter().map(Request::page).collect();
    assert_eq!(pages, [1, 2, 1, 2]);
    let ends: Vec<_> = asked
        .iter()
        .map(|r| r.parameter("date_to").is_some())
        .collect();
    assert_eq!(ends, [false, false, true, true]);
    assert!(
        is(152.0)(exporter.counted().await),
        "{}",
        exporter.counted().await
    );
    assert!(is(0.0)(
        exporter.value("nexmo_audit_late_events_total").await
    ));
}
