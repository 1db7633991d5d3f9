//! Lists that claim a wrong number of pages or events.

use serde_json::{Value, json};
use test_support::audit_event::events;
use test_support::exporter::{Exporter, is};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, listing};

/// Returns a script that shows these events in pages, with these claims of numbers.
fn paged(all: Vec<Value>, elements: Value, pages: Value) -> impl Fn(&Request) -> Answer {
    move |request| {
        let first = 100 * (usize::try_from(request.page()).expect("a page") - 1);
        let shown: Vec<_> = all.iter().skip(first).take(100).cloned().collect();
        Answer::page(&shown, elements.clone(), pages.clone())
    }
}

fn counts_despite_the_claims(
    number: usize,
    list: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) {
    let api = ScriptedApi::start(listing(list));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    let expected = f64::from(u32::try_from(number).expect("few"));
    assert!(is(expected)(exporter.counted()), "{}", exporter.counted());
    let polls = exporter.value("nexmo_audit_poll_duration_seconds_count", &[]);
    let requests = exporter.value(
        "nexmo_audit_api_requests_total",
        &[("operation", "list"), ("code", "200")],
    );
    // Each reading may have eight pages under way when a wrong claim shows.
    assert!(
        requests <= 50.0 * (polls + 1.0),
        "{requests} in {polls} polls"
    );
}

#[test]
fn too_few_pages_are_claimed() {
    counts_despite_the_claims(250, paged(events(250, "A"), json!(250), json!(1)));
}

#[test]
fn too_few_pages_are_claimed_and_no_number_of_events() {
    counts_despite_the_claims(250, paged(events(250, "A"), json!(null), json!(1)));
}

#[test]
fn no_page_is_claimed() {
    counts_despite_the_claims(250, paged(events(250, "A"), json!(null), json!(null)));
}

#[test]
fn too_many_pages_are_claimed() {
    counts_despite_the_claims(250, paged(events(250, "A"), json!(250), json!(1_000_000)));
}

#[test]
fn too_many_pages_are_claimed_and_each_shows_the_same() {
    let same = events(100, "A");
    counts_despite_the_claims(100, move |_| {
        Answer::page(&same, json!(100), json!(u64::MAX))
    });
}

#[test]
fn too_many_pages_and_events_are_claimed_and_each_shows_the_same() {
    let same = events(100, "A");
    counts_despite_the_claims(100, move |_| {
        Answer::page(&same, json!(u64::MAX), json!(u64::MAX))
    });
}

#[test]
fn claims_that_are_no_numbers() {
    counts_despite_the_claims(5, paged(events(5, "A"), json!("five"), json!([1])));
}

#[test]
fn no_event_and_no_page_is_claimed() {
    counts_despite_the_claims(500, paged(events(500, "A"), json!(0), json!(0)));
}

#[test]
fn no_event_is_claimed_while_events_arrive() {
    let api = ScriptedApi::start(listing(paged(events(200, "A"), json!(0), json!(0))));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    exporter.wait_for_polls(3);
    api.follow(listing(paged(events(500, "A"), json!(0), json!(0))));
    exporter.wait_for_polls(3);
    assert!(is(500.0)(exporter.counted()), "{}", exporter.counted());
}
