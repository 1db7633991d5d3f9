//! Odd events and lists that lie: what can be counted is counted once.

use serde_json::{Value, json};
use test_support::audit_event::{assert_shows_nothing_private, event, events, with};
use test_support::exporter::{Exporter, is};
use test_support::exposition;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy, listing};

const EVENTS: &str = "nexmo_audit_events_total";
const MALFORMED: &str = "nexmo_audit_malformed_events_total";

/// An event and the type, source and country that it is counted under.
struct Odd {
    event: Value,
    labels: [String; 3],
}

/// One field of an event is odd, which changes the one label.
fn odd(id: &str, field: &str, value: Value, shown: &str) -> Odd {
    let event = with(event(id, id), field, value);
    let label = |name: &str, usual: &str| if field == name { shown } else { usual }.to_owned();
    let labels = [
        label("event_type", id),
        label("source", "CD"),
        label("source_country", "GB"),
    ];
    Odd { event, labels }
}

fn odd_events() -> Vec<Odd> {
    let long = "x".repeat(10_000);
    let cut = "x".repeat(64);
    vec![
        odd("no-type", "event_type", Value::Null, "unknown"),
        odd("no-time", "created_at", Value::Null, ""),
        odd("no-source", "source", Value::Null, "unknown"),
        odd("no-country", "source_country", Value::Null, "unknown"),
        odd("empty-country", "source_country", json!(""), "unknown"),
        odd("number-for-a-source", "source", json!(7), "unknown"),
        odd(
            "list-for-a-country",
            "source_country",
            json!(["GB"]),
            "unknown",
        ),
        odd(
            "object-for-a-type",
            "event_type",
            json!({"a": 1}),
            "unknown",
        ),
        odd("number-for-a-time", "created_at", json!(1_534_155_331), ""),
        odd("words-for-a-time", "created_at", json!("yesterday"), ""),
        odd("list-for-a-user", "user_id", json!(["424242424"]), ""),
        odd(
            "text-for-a-context",
            "context",
            json!("ada@example.org"),
            "",
        ),
        odd("long-source", "source", json!(long), &cut),
        odd("newline", "source", json!("a\nb"), "a\nb"),
        odd("quotes", "source", json!("a\"b\\c"), "a\"b\\c"),
        odd("small-letters", "source_country", json!("gb"), "gb"),
        odd("snow", "source", json!("☃"), "☃"),
        odd("number-for-an-id", "id", json!(12), ""),
    ]
}

#[test]
fn each_is_counted_once_under_labels_that_say_what_is_missing() {
    let odd = odd_events();
    let api = ScriptedApi::start(healthy(odd.iter().map(|odd| odd.event.clone()).collect()));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    exporter.wait_for_polls(2);
    for Odd { event, labels } in &odd {
        let [event_type, source, country] = labels.each_ref().map(String::as_str);
        let labels = [
            ("event_type", event_type),
            ("source", source),
            ("source_country", country),
        ];
        // Two have no type, and so the same labels.
        let expected = odd
            .iter()
            .filter(|other| other.labels == [event_type, source, country]);
        let expected = f64::from(u32::try_from(expected.count()).expect("few"));
        assert!(is(expected)(exporter.value(EVENTS, &labels)), "{event}");
    }
    assert!(is(0.0)(exporter.value(MALFORMED, &[])));
    assert_shows_nothing_private("/metrics", &exporter.page("/metrics"));
    assert_shows_nothing_private("the log", &exporter.program.lines().join("\n"));
}

#[test]
fn what_has_no_id_is_malformed_once_and_costs_no_other() {
    let bad = [
        with(event("gone", "A"), "id", Value::Null),
        with(event("empty", "A"), "id", json!("")),
        with(event("list", "A"), "id", json!(["list"])),
        json!(null),
        json!("an event"),
        json!([1, 2]),
    ];
    let mut shown = events(2, "GOOD");
    shown.splice(1..1, bad.clone());
    let api = ScriptedApi::start(healthy(shown));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    exporter.wait_for_polls(3);
    let malformed = f64::from(u32::try_from(bad.len()).expect("few"));
    assert!(is(malformed)(exporter.value(MALFORMED, &[])));
    assert!(is(2.0)(exporter.counted()));
    let line = exporter.program.wait_for_line("without an id");
    assert!(line.contains("malformed=6"), "{line}");
    assert_shows_nothing_private("the log", &exporter.program.lines().join("\n"));
}

#[test]
fn an_event_of_deep_nesting_and_one_of_invalid_utf_8_are_counted() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let list = Answer::list(&[with(event("deep", "D\u{e000}"), "context", json!("DEEP"))]);
    let text = list.text().replace("\"DEEP\"", &deep);
    let mut bytes = text.into_bytes();
    // The private character is three bytes, none of which may come first.
    let place = bytes
        .windows(3)
        .position(|three| three == "\u{e000}".as_bytes());
    let place = place.expect("the type");
    bytes.splice(place..place + 3, [0xff]);
    let api = ScriptedApi::start(listing(move |_| Answer::new(200, bytes.clone())));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    let by_type = exporter.value(
        "nexmo_audit_events_by_type_total",
        &[("event_type", "D\u{fffd}")],
    );
    assert!(is(1.0)(by_type), "{}", exporter.page("/metrics"));
}

/// A list of these events in pages, with a claim of how many pages there are.
fn paged(all: Vec<Value>, elements: Value, pages: Value) -> impl Fn(&Request) -> Answer {
    move |request| {
        let first = 100 * (usize::try_from(request.page()).expect("a page") - 1);
        let shown: Vec<_> = all.iter().skip(first).take(100).cloned().collect();
        Answer::page(&shown, elements.clone(), pages.clone())
    }
}

fn counts_through_a_lie(number: usize, list: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
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
    // Each of the readings may have eight pages under way when it turns out to lie.
    assert!(
        requests <= 50.0 * (polls + 1.0),
        "{requests} in {polls} polls"
    );
}

#[test]
fn too_few_pages_are_claimed() {
    counts_through_a_lie(250, paged(events(250, "A"), json!(250), json!(1)));
}

#[test]
fn too_few_pages_are_claimed_and_no_number_of_events() {
    counts_through_a_lie(250, paged(events(250, "A"), json!(null), json!(1)));
}

#[test]
fn no_page_is_claimed() {
    counts_through_a_lie(250, paged(events(250, "A"), json!(null), json!(null)));
}

#[test]
fn too_many_pages_are_claimed() {
    counts_through_a_lie(250, paged(events(250, "A"), json!(250), json!(1_000_000)));
}

#[test]
fn too_many_pages_are_claimed_and_each_shows_the_same() {
    let same = events(100, "A");
    counts_through_a_lie(100, move |_| {
        Answer::page(&same, json!(100), json!(u64::MAX))
    });
}

#[test]
fn too_many_pages_and_events_are_claimed_and_each_shows_the_same() {
    let same = events(100, "A");
    counts_through_a_lie(100, move |_| {
        Answer::page(&same, json!(u64::MAX), json!(u64::MAX))
    });
}

#[test]
fn claims_that_are_no_numbers() {
    counts_through_a_lie(5, paged(events(5, "A"), json!("five"), json!([1])));
}

#[test]
fn more_label_combinations_than_the_cap_are_counted_under_other() {
    let many: Vec<_> = (0..5)
        .map(|n| event(&format!("e{n}"), &format!("T{n}")))
        .collect();
    let api = ScriptedApi::start(healthy(many));
    let exporter = Exporter::polling_with(&api, &["--metrics.max-series=3"]);
    exporter.wait_until_up();
    exporter.wait_for_polls(1);
    let other = ["event_type", "source", "source_country"].map(|label| (label, "other"));
    assert!(is(2.0)(exporter.value(EVENTS, &other)));
    assert!(is(2.0)(
        exporter.value("nexmo_audit_overflow_events_total", &[])
    ));
    let series = exposition::samples(&exporter.page("/metrics"));
    assert_eq!(
        series.iter().filter(|sample| sample.name == EVENTS).count(),
        4
    );
}
