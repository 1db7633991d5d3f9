//! Times of creation in forms that are not documented.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use test_support::audit_event::{event, with, written};
use test_support::exporter::is;
use test_support::scripted_api::{ScriptedApi, healthy};

use crate::paused_exporter::PausedExporter;

const STEP: Duration = Duration::from_secs(1);

async fn polling(time: Value) -> PausedExporter {
    let events = ["a", "b"].map(|id| with(event(id, "APP_CREATE"), "created_at", time.clone()));
    let api = ScriptedApi::start_here(healthy(events.to_vec())).await;
    let settings = ["--poll.interval=30s", "--poll.start=1h"];
    let exporter = PausedExporter::polling(api, &settings).await;
    exporter.pass(STEP, Duration::from_secs(40)).await;
    exporter
}

#[tokio::test(start_paused = true)]
async fn every_form_that_other_apis_use_is_understood() {
    let created = Timestamp::now().as_second() - 1000;
    let time = Timestamp::from_second(created).expect("a time");
    let rfc_1123 = time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for form in [
        json!(created),
        json!(created * 1000),
        json!(created.to_string()),
        json!((created * 1000).to_string()),
        json!(rfc_1123),
        json!(format!("{} UTC", written(time))),
    ] {
        let exporter = polling(form.clone()).await;
        let newest = exporter
            .value("nexmo_audit_newest_event_timestamp_seconds")
            .await;
        assert_eq!(newest.to_string(), created.to_string(), "{form}");
        assert!(is(2.0)(exporter.counted().await), "{form}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_that_is_not_understood_is_named_once_without_its_value() {
    let exporter = polling(json!("13.8.2018 ada@example.org")).await;
    assert!(is(2.0)(exporter.counted().await));
    let warnings = exporter.warnings();
    let named: Vec<_> = warnings
        .iter()
        .filter(|line| line.contains("form"))
        .collect();
    assert_eq!(named.len(), 1, "{warnings:?}");
    assert!(named[0].contains("99.9.9999 aaa@aaaaaaa.aaa"), "{named:?}");
    assert!(!named[0].contains("ada"), "{named:?}");
}
