//! Faults of the API, in which it quotes all that it knows.

use serde_json::json;
use test_support::audit_event::{event, with};
use test_support::program::API_KEY;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::Request;

use crate::private_data::SECRET;

/// A function that answers a request of the exporter.
pub(crate) type Script = fn(&Request) -> Answer;

/// A fault of the list that is no fault for a request for one event.
pub(crate) const AN_EVENT: &str = "an event in place of a list";

/// The faults of the list, by name. None of them rejects the key or the secret, after
/// which the exporter waits for minutes: see [`REJECTIONS`].
pub(crate) const FAULTS: &[(&str, Script)] = &[
    ("an error that quotes", |request| {
        Answer::error(500, &quoting(request))
    }),
    ("an error that is only data", |_| {
        Answer::error(400, &an_event())
    }),
    ("an error with other fields", |request| {
        let quoted = quoting(request);
        Answer::json(
            502,
            &json!({"message": [quoted], "error": {"of": quoted}, "detail": quoted}),
        )
    }),
    ("an error of text", |request| {
        Answer::new(503, quoting(request))
    }),
    ("an error of binary", |request| {
        Answer::new(500, quoting(request)).gzip()
    }),
    ("a path that is missing", |request| {
        Answer::error(404, &quoting(request))
    }),
    ("too many requests", |request| {
        Answer::error(429, &quoting(request)).header("Retry-After", "0")
    }),
    ("a wait that is none", |request| {
        Answer::error(429, "Slowly.")
            .header("Retry-After", &in_a_header(request))
            .header("X-Nexmo-Trace-Id", &in_a_header(request))
    }),
    ("a redirect to elsewhere", |_| {
        let location = format!("http://{API_KEY}:{SECRET}@127.0.0.1:9/?user=ada@example.org");
        Answer::new(302, an_event()).header("Location", &location)
    }),
    ("a captive portal", |request| {
        Answer::new(
            200,
            format!("<!doctype html><title>{}</title>", quoting(request)),
        )
    }),
    ("other JSON", |request| {
        Answer::json(
            200,
            &json!({"data": [event("a", "A")], "said": quoting(request)}),
        )
    }),
    ("JSON that ends too soon", |_| {
        Answer::new(
            200,
            format!(r#"{{"_embedded": {{"events": [{}"#, an_event()),
        )
    }),
    ("an answer cut short", |_| {
        Answer::list(&[event("a", "A")]).cut()
    }),
    ("gzip that is none", |_| {
        Answer::new(200, an_event()).header("Content-Encoding", "gzip")
    }),
    ("gzip cut short", |_| {
        Answer::list(&[event("a", "A")]).gzip().cut()
    }),
    ("a date that is none", |request| {
        Answer::error(500, "No.")
            .without_date()
            .header("Date", &in_a_header(request))
    }),
    ("no date", |_| Answer::error(500, "No.").without_date()),
    ("a header that quotes", |request| {
        Answer::error(500, "No.").header("WWW-Authenticate", &in_a_header(request))
    }),
    (AN_EVENT, |_| {
        Answer::new(200, an_event()).header("Content-Type", "ada@example.org")
    }),
    ("a status beyond all", |request| {
        Answer::error(999, &quoting(request))
    }),
    ("nothing", |_| Answer::new(200, "")),
    ("silence", |_| Answer::silence()),
    ("an answer that stalls", |_| {
        Answer::list(&[event("a", "A")]).stalled()
    }),
    ("a reset", |_| Answer::reset()),
];

/// The answers that reject the key or the secret.
pub(crate) const REJECTIONS: &[(&str, Script)] = &[
    ("401 that quotes", |request| {
        Answer::error(401, &quoting(request))
    }),
    ("401 that quotes the header alone", |request| {
        Answer::error(401, &in_a_header(request)).header("X-Nexmo-Trace-Id", SECRET)
    }),
    ("403 of text", |request| {
        Answer::new(403, quoting(request)).header("X-Nexmo-Trace-Id", "ada@example.org")
    }),
];

/// Returns malformed events, each with all personal data.
pub(crate) fn malformed_events() -> Vec<serde_json::Value> {
    let odd = |place: usize, field: &str, value| {
        with(event(&format!("odd-{place}"), "ODD"), field, value)
    };
    let whole = event("inner", "ODD");
    vec![
        odd(0, "id", json!(null)),
        odd(1, "id", json!({"of": "ada@example.org"})),
        odd(2, "id", json!("")),
        odd(3, "event_type", json!(["ada@example.org"])),
        odd(4, "source", json!({"ip": "198.51.100.77"})),
        odd(5, "source_country", json!(424_242_424)),
        odd(6, "created_at", json!("ada@example.org")),
        odd(7, "context", json!([[["found-in-a-context"]]])),
        json!([whole, whole]),
        json!("ada@example.org"),
        json!(424_242_424),
        json!({"user": whole}),
    ]
}

/// Returns an error that quotes what the vendor was sent, in every form, and an event.
fn quoting(request: &Request) -> String {
    let escaped = serde_json::Value::from(SECRET);
    let header = in_a_header(request);
    let event = an_event();
    format!(
        "user ada@example.org (424242424) at 198.51.100.77: {API_KEY}:{SECRET} is wrong, \
         {escaped} too, in {header} of {event}"
    )
}

fn in_a_header(request: &Request) -> String {
    request
        .header("Authorization")
        .unwrap_or_default()
        .to_owned()
}

fn an_event() -> String {
    event("a", "A").to_string()
}
