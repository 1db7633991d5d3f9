//! The whole of `/metrics` after a fixed scenario. A metric that is added or changed
//! shows here: review with `cargo insta review`, or read the diff.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use test_support::audit_event::{event, with};
use test_support::exporter::{Exporter, ONE_POLL, is};
use test_support::raw_http::RawHttp;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi};

/// 2026-01-02T03:04:05Z, long before any run of this test.
const API_TIME: Duration = Duration::from_secs(1_767_323_045);

fn at(id: &str, event_type: &str, time: &str) -> Value {
    with(event(id, event_type), "created_at", json!(time))
}

fn recorded() -> Vec<Value> {
    let young = at("young", "USER_STATUS", "2026-01-02T03:04:00");
    vec![
        at("before the start", "USER_STATUS", "2025-12-31T23:59:59"),
        at("late", "NUMBER_ASSIGN", "2026-01-01T12:00:00"),
        with(
            at("other", "APP_CREATE", "2026-01-02T03:03:05"),
            "source",
            json!("DEVAPI"),
        ),
        with(
            at("odd", "a\"b\\c\nd", "2026-01-02T03:02:00"),
            "source_country",
            Value::Null,
        ),
        with(
            at("gone", "NO_ID", "2026-01-02T03:01:00"),
            "id",
            Value::Null,
        ),
        young.clone(),
        young,
    ]
}

fn scenario(request: &Request) -> Answer {
    let answer = if request.is_types() {
        Answer::types(&["USER_STATUS", "NUMBER_ASSIGN", "USER_LOGIN"])
    } else {
        // One event is shown twice.
        Answer::page(&recorded(), json!(6), json!(1))
    };
    answer.dated(SystemTime::UNIX_EPOCH + API_TIME)
}

/// Replaces the values that differ from run to run.
fn is_volatile(name: &str) -> bool {
    name.starts_with("process_") || name.starts_with("nexmo_audit_config_last_reload_success_")
        || name.contains("_duration_seconds_bucket")
        || name.contains("_duration_seconds_sum")
        || name.starts_with("nexmo_audit_last_")
        // The start of the process; the events say when counting began.
        || name.contains("_created") && !name.starts_with("nexmo_audit_events_")
}

fn normalised(line: &str) -> String {
    if line.starts_with("nexmo_audit_exporter_build_info{") {
        let names: Vec<_> = line
            .split(['{', ','])
            .filter_map(|l| l.split_once('='))
            .collect();
        let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        return format!("nexmo_audit_exporter_build_info{{{}}} 1", names.join(","));
    }
    match line.rsplit_once(' ') {
        Some((name, _)) if !line.starts_with('#') && is_volatile(name) => format!("{name} ~"),
        _ => line.to_owned(),
    }
}

const TEXT: &str = "text/plain;version=0.0.4";
const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";

/// Returns the whole answer to a client that takes `format`, after the scenario.
fn metrics(format: &str, more: &[&str]) -> String {
    let api = ScriptedApi::start(scenario);
    let settings = [
        ONE_POLL[0],
        ONE_POLL[1],
        "--poll.start=2026-01-01T00:00:00Z",
        // A client that names a format is a scraper, for which a gate would hold counts.
        "--metrics.scrape-interval=0",
        // With it every metric is there.
        "--events.log=stdout",
    ];
    let exporter = Exporter::polling_with(&api, &[&settings, more].concat());
    exporter.wait_until_up();
    exporter.wait_for("nexmo_audit_event_log_pending_lines", &[], is(0.0));
    let mut http = RawHttp::connect(exporter.program.address());
    let (_, body) = http.get_as("/metrics", &[("Accept", format)]);
    let body = String::from_utf8(body).expect("UTF-8");
    let mut lines = body.lines().map(normalised).collect::<Vec<_>>().join("\n");
    // The end of the last line is a part of the format.
    lines.push_str(if body.ends_with('\n') { "\n." } else { "" });
    lines
}

fn is_golden(name: &str, metrics: &str) {
    insta::with_settings!({snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, metrics);
    });
}

#[test]
fn text_after_a_fixed_scenario() {
    is_golden("metrics", &metrics(TEXT, &[]));
}

#[test]
fn open_metrics_after_a_fixed_scenario() {
    is_golden("metrics_open_metrics", &metrics(OPEN_METRICS, &[]));
}

#[test]
fn created_timestamps_appear_on_request_and_in_open_metrics_only() {
    let flag = ["--metrics.created-timestamps"];
    is_golden("metrics", &metrics(TEXT, &flag));
    is_golden("metrics_created_timestamps", &metrics(OPEN_METRICS, &flag));
}
