//! Events with fields that are missing or of the wrong type, and elements without an id.

use serde_json::{Value, json};
use test_support::audit_event::{assert_shows_nothing_private, event, events, with};
use test_support::exporter::{Exporter, is};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, healthy, listing};

const EVENTS: &str = "nexmo_audit_events_total";
const MALFORMED: &str = "nexmo_audit_malformed_events_total";

/// An event, and the labels under which it is counted.
struct MalformedEvent {
    event: Value,
    labels: [String; 3],
}

/// Makes an event with one malformed field, which changes one label.
fn malformed(id: &str, field: &str, value: Value, shown: &str) -> MalformedEvent {
    let event = with(event(id, id), field, value);
    let label = |name: &str, usual: &str| if field == name { shown } else { usual }.to_owned();
    let labels = [
        label("event_type", id),
        label("source", "CD"),
        label("source_country", "GB"),
    ];
    MalformedEvent { event, labels }
}

fn malformed_events() -> Vec<MalformedEvent> {
    let long = "x".repeat(10_000);
    let cut = "x".repeat(64);
    vec![
        malformed("no-type", "event_type", Value::Null, "unknown"),
        malformed("no-time", "created_at", Value::Null, ""),
        malformed("no-source", "source", Value::Null, "unknown"),
        malformed("no-country", "source_country", Value::Null, "unknown"),
        malformed("empty-country", "source_country", json!(""), "unknown"),
        malformed("number-for-a-source", "source", json!(7), "unknown"),
        malformed(
            "list-for-a-country",
            "source_country",
            json!(["GB"]),
            "unknown",
        ),
        malformed(
            "object-for-a-type",
            "event_type",
            json!({"a": 1}),
            "unknown",
        ),
        malformed("small-number-for-a-time", "created_at", json!(12), ""),
        malformed("words-for-a-time", "created_at", json!("yesterday"), ""),
        malformed("list-for-a-user", "user_id", json!(["424242424"]), ""),
        malformed(
            "text-for-a-context",
            "context",
            json!("ada@example.org"),
            "",
        ),
        malformed("long-source", "source", json!(long), &cut),
        malformed("newline", "source", json!("a\nb"), "a\nb"),
        malformed("quotes", "source", json!("a\"b\\c"), "a\"b\\c"),
        malformed("small-letters", "source_country", json!("gb"), "gb"),
        malformed("snow", "source", json!("☃"), "☃"),
        malformed("number-for-an-id", "id", json!(12), ""),
    ]
}

#[test]
fn each_event_is_counted_once_under_labels_that_say_what_is_missing() {
    let malformed = malformed_events();
    let api = ScriptedApi::start(healthy(
        malformed
            .iter()
            .map(|malformed| malformed.event.clone())
            .collect(),
    ));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    exporter.wait_for_polls(2);
    for MalformedEvent { event, labels } in &malformed {
        let [event_type, source, country] = labels.each_ref().map(String::as_str);
        let labels = [
            ("event_type", event_type),
            ("source", source),
            ("source_country", country),
        ];
        // Two events have no type, and so the same labels.
        let expected = malformed
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
fn an_element_without_an_id_is_malformed_once_and_affects_no_event() {
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
