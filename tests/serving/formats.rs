//! The formats and encodings of `/metrics`, down to the bytes.

use std::io::Read as _;

use flate2::read::GzDecoder;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use test_support::audit_event::{events, with, written};
use test_support::exporter::{Exporter, ONE_POLL};
use test_support::raw_http::{Head, RawHttp};
use test_support::scripted_api::{ScriptedApi, healthy};

const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";
const TEXT: &str = "text/plain;version=0.0.4";

fn exporter(api: &ScriptedApi) -> Exporter {
    // Without the gate, the first scrape changes no metric.
    let settings = [&ONE_POLL[..], &["--metrics.scrape-interval=0"]].concat();
    let exporter = Exporter::polling_with(api, &settings);
    exporter.wait_until_up();
    exporter
}

/// Returns the lines that do not change by themselves.
fn steady(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines.filter(|line| !line.contains("process_")).collect()
}

fn decoded(head: &Head, body: &[u8]) -> String {
    let mut text = String::new();
    match head.header("content-encoding") {
        // The decoder reads one member, and fails on anything that is not gzip to its
        // last byte.
        "gzip" => GzDecoder::new(body)
            .read_to_string(&mut text)
            .expect("gzip"),
        "" => body
            .to_owned()
            .as_slice()
            .read_to_string(&mut text)
            .expect("UTF-8"),
        other => panic!("nobody asked for {other}"),
    };
    text
}

#[test]
fn every_format_is_the_same_compressed_and_not() {
    let api = ScriptedApi::start(healthy(events(5, "USER_STATUS")));
    let exporter = exporter(&api);
    let mut http = RawHttp::connect(exporter.program.address());
    for (accept, content_type) in [
        (TEXT, "text/plain; version=0.0.4; charset=utf-8"),
        (
            OPEN_METRICS,
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
    ] {
        let mut get = |encoding| {
            let headers = [("Accept", accept), ("Accept-Encoding", encoding)];
            http.get_as("/metrics", &headers)
        };
        let (plain_head, plain) = get("identity");
        let (gzip_head, gzip) = get("gzip, br;q=0.5");
        for head in [&plain_head, &gzip_head] {
            assert_eq!(head.status, 200);
            assert_eq!(head.header("content-type"), content_type);
            assert_eq!(head.header("vary"), "Accept, Accept-Encoding");
        }
        assert_eq!(plain_head.header("content-encoding"), "");
        assert_eq!(gzip_head.header("content-encoding"), "gzip");
        assert!(gzip.len() < plain.len() / 2, "{} bytes", gzip.len());
        let (plain, gzip) = (decoded(&plain_head, &plain), decoded(&gzip_head, &gzip));
        assert_eq!(steady(&plain), steady(&gzip));
        let samples = plain.matches("\nnexmo_audit_events_total{").count();
        assert!(samples > 0, "{plain}");
        // Each of the exemplars leads to an event, in the only format that has
        // exemplars.
        let exemplars = plain.matches(" # {event_id=\"").count();
        assert_eq!(exemplars >= samples, accept == OPEN_METRICS, "{plain}");
    }
}

#[test]
fn head_has_the_headers_of_get() {
    let api = ScriptedApi::start(healthy(events(5, "USER_STATUS")));
    let exporter = exporter(&api);
    for (accept, encoding) in [(TEXT, "identity"), (OPEN_METRICS, "identity")] {
        let headers = [("Accept", accept), ("Accept-Encoding", encoding)];
        let mut http = RawHttp::connect(exporter.program.address());
        http.send_with("HEAD", "/metrics", &headers);
        let head = http.read_head();
        // The next answer on the connection would show bytes that were sent beside this
        // one.
        let (get, _) = http.get_as("/metrics", &headers);
        assert_eq!((head.status, get.status), (200, 200));
        for name in ["content-type", "vary", "content-encoding"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        let (told, sent) = (head.length(), get.length());
        assert!(told.abs_diff(sent) < 100, "{told} and {sent} bytes");
    }
}

#[test]
fn an_exemplar_names_the_newest_event_also_after_a_restart_soon_after() {
    let minutes_ago = |minutes| written(Timestamp::now() - SignedDuration::from_mins(minutes));
    for (age, is_kept) in [(0, true), (9, true), (11, false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = format!("--storage.path={}", folder.path().display());
        let created_at = json!(minutes_ago(age));
        let events = events(3, "USER_STATUS").into_iter();
        let events = events.map(|event| with(event, "created_at", created_at.clone()));
        let api = ScriptedApi::start(healthy(events.collect()));
        let arguments = [&[&*storage, "--poll.start=1h"], &ONE_POLL[..]].concat();
        let first = Exporter::polling_with(&api, &arguments);
        first.wait_until_up();
        let before = exemplars(&first);
        assert!(!before.is_empty());
        drop(first);
        drop(api);
        let second = Exporter::polling_with(&ScriptedApi::start(healthy(Vec::new())), &[&storage]);
        let expected = if is_kept { before } else { Vec::new() };
        assert_eq!(exemplars(&second), expected, "{age} minutes");
    }
}

fn exemplars(exporter: &Exporter) -> Vec<String> {
    let mut http = RawHttp::connect(exporter.program.address());
    let (_, body) = http.get_as("/metrics", &[("Accept", OPEN_METRICS)]);
    let text = String::from_utf8(body).expect("UTF-8");
    let lines = text.lines().filter(|line| line.contains(" # {event_id="));
    let mut lines: Vec<_> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}
