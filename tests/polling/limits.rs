//! Lists that show less than there is: every event is counted, or the number of missing events
//! is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use test_support::audit_event::events;
use test_support::exporter::is;
use test_support::limited_list::{Beyond, LimitedList};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, listing};

use crate::paused_exporter::PausedExporter;

const SETTINGS: &[&str] = &[
    "--poll.interval=30s",
    "--poll.lookback=55m",
    "--poll.start=1h",
];
const STEP: Duration = Duration::from_secs(1);
const MISSING: &str = "nexmo_audit_reconcile_missing_events";

async fn polling(list: LimitedList) -> PausedExporter {
    let api = ScriptedApi::start_here(listing(move |request| list.answer(request))).await;
    PausedExporter::polling(api, SETTINGS).await
}

/// Polls three times, and checks that no poll fails, whatever the list refuses.
async fn polled(list: LimitedList) -> PausedExporter {
    let exporter = polling(list).await;
    exporter.pass(STEP, Duration::from_secs(70)).await;
    has_no_failures(&exporter).await;
    exporter
}

async fn has_no_failures(exporter: &PausedExporter) {
    assert!(is(1.0)(exporter.value("nexmo_audit_up").await));
    let metrics = exporter.metrics().await;
    let failures = metrics
        .lines()
        .filter(|line| line.starts_with("nexmo_audit_poll_failures_total"));
    for line in failures {
        assert!(line.ends_with(" 0"), "{line}");
    }
}

async fn is_counted_whole(list: LimitedList, events: f64) {
    let name = format!("{} of {events}, {:?}", list.most_events, list.beyond);
    let exporter = polled(list).await;
    let counted = exporter.counted().await;
    assert!(is(events)(counted), "{counted} counted: {name}");
    let missing = exporter.value(MISSING).await;
    assert!(is(0.0)(missing), "{missing} missing: {name}");
    assert_eq!(told(&exporter), [""; 0]);
}

/// Returns what the log says of missing events.
fn told(exporter: &PausedExporter) -> Vec<String> {
    let mut warnings = exporter.warnings();
    warnings.retain(|line| line.contains("the API "));
    warnings
}

#[tokio::test(start_paused = true)]
async fn a_total_that_is_never_higher_than_what_is_shown_hides_no_event() {
    for beyond in [Beyond::Error(400), Beyond::EmptyPage] {
        let list = LimitedList {
            most_events: 500,
            beyond,
            ..LimitedList::spread(700)
        };
        is_counted_whole(list, 700.0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn pages_that_are_refused_although_they_are_claimed_hide_no_event() {
    for beyond in [Beyond::Error(400), Beyond::Error(404), Beyond::EmptyObject] {
        let list = LimitedList {
            last_page: 4,
            beyond,
            ..LimitedList::spread(900)
        };
        is_counted_whole(list, 900.0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn smaller_pages_than_were_asked_for_are_all_read() {
    for has_counts in [false, true] {
        let list = LimitedList {
            page_size: 30,
            has_counts,
            beyond: Beyond::Error(404),
            ..LimitedList::spread(250)
        };
        is_counted_whole(list, 250.0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_address_of_a_link_is_asked_for() {
    let list = LimitedList {
        page_size: 30,
        has_counts: false,
        ..LimitedList::spread(100)
    };
    let exporter = polled(list).await;
    let asked = exporter.api.requests();
    let mut pages = asked.iter().filter(|request| request.is_list());
    assert!(pages.all(|request| request.parameter("date_from").is_some()));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_shrinks_while_pages_are_asked_for_costs_no_poll() {
    for gone in [Answer::json(200, &json!({})), Answer::error(404, "gone")] {
        let asked = AtomicUsize::new(0);
        let script = move |request: &Request| {
            let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            let all = events(150, "A");
            let number = usize::try_from(request.page()).expect("a page");
            let Some(shown) = all.chunks(100).nth(number - 1) else {
                return gone.clone();
            };
            let (events, pages) = if is_first { (250, 3) } else { (150, 2) };
            Answer::page(shown, json!(events), json!(pages))
        };
        let api = ScriptedApi::start_here(listing(script)).await;
        let exporter = PausedExporter::polling(api, SETTINGS).await;
        exporter.pass(STEP, 5 * STEP).await;
        assert!(is(1.0)(exporter.value("nexmo_audit_up").await));
        assert!(is(150.0)(exporter.counted().await));
        assert_eq!(told(&exporter), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_met_is_remembered_and_shown_on_the_landing_page() {
    const SENTENCE: &str = "shows no more than 100 events of one query";
    let list = LimitedList {
        last_page: 1,
        beyond: Beyond::Error(404),
        ..LimitedList::spread(250)
    };
    let exporter = polling(list).await;
    let refused = |request: &Request| request.is_list() && request.page() > 1;
    exporter.pass(STEP, 20 * STEP).await;
    assert!(exporter.page("/").await.contains(SENTENCE));
    let met = exporter.times(refused).len();
    assert!(met > 0);
    exporter.pass(STEP, Duration::from_mins(3)).await;
    assert_eq!(exporter.times(refused).len(), met);
    assert!(exporter.page("/").await.contains(SENTENCE));
    has_no_failures(&exporter).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_with_more_events_than_are_shown_is_told_once() {
    let ages = (0..150)
        .map(|_| 600)
        .chain((0..40).map(|event| 700 + event));
    let list = LimitedList {
        last_page: 1,
        beyond: Beyond::Error(400),
        ..LimitedList::of_ages(ages)
    };
    let exporter = polled(list).await;
    assert!(
        is(140.0)(exporter.counted().await),
        "{}",
        exporter.counted().await
    );
    assert!(is(50.0)(exporter.value(MISSING).await));
    let told = told(&exporter);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("in one second") && told[0].contains("missing=50"),
        "{told:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_short_of_events_says_so_in_the_metric() {
    let script = |request: &Request| match request.page() {
        1 => Answer::page(&events(2, "A"), json!(5), json!(1)),
        _ => Answer::page(&[], json!(5), json!(1)),
    };
    let api = ScriptedApi::start_here(listing(script)).await;
    let settings = [SETTINGS, &["--poll.reconcile-interval=0s"]].concat();
    let exporter = PausedExporter::polling(api, &settings).await;
    exporter.pass(STEP, 5 * STEP).await;
    assert!(is(3.0)(exporter.value(MISSING).await));
    exporter
        .api
        .follow(listing(|_: &Request| Answer::list(&events(5, "A"))));
    exporter.pass(STEP, 35 * STEP).await;
    assert!(is(0.0)(exporter.value(MISSING).await));
    assert!(is(5.0)(exporter.counted().await));
}

#[tokio::test(start_paused = true)]
async fn a_total_of_none_beside_full_pages_is_not_believed() {
    let all = events(250, "A");
    let script = move |request: &Request| {
        let number = usize::try_from(request.page()).expect("a page");
        let shown = all.chunks(100).nth(number - 1).unwrap_or_default();
        Answer::page(shown, json!(0), json!(0))
    };
    let api = ScriptedApi::start_here(listing(script)).await;
    let exporter = PausedExporter::polling(api, SETTINGS).await;
    exporter.pass(STEP, 5 * STEP).await;
    assert!(is(250.0)(exporter.counted().await));
}
