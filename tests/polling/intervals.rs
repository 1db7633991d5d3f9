//! The waits between polls, after success and after each kind of failure.

use std::time::{Duration, SystemTime};

use test_support::audit_event::events;
use test_support::exporter::is;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy, listing};

use crate::paused_exporter::PausedExporter;

const STEP: Duration = Duration::from_millis(250);
/// The most that a measured wait may be too long: the step that noticed it, and the
/// step that the answer before took.
const SLACK: f64 = 0.75;

async fn exporter(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> PausedExporter {
    let api = ScriptedApi::start_here(script).await;
    PausedExporter::polling(api, &["--poll.interval=30s", "--poll.start=1h"]).await
}

/// Returns the waits, in seconds, between `number` requests that `accept` agrees with.
async fn waits(
    exporter: &PausedExporter,
    number: usize,
    accept: impl Fn(&Request) -> bool + Copy,
) -> Vec<f64> {
    let enough = |api: &ScriptedApi| api.requests().iter().filter(|r| accept(r)).count() >= number;
    exporter
        .pass_until(STEP, Duration::from_hours(2), enough)
        .await;
    let times = exporter.times(accept);
    let pairs = times.windows(2);
    pairs
        .map(|pair| pair[1].abs_diff(pair[0]).as_secs_f64())
        .collect()
}

fn within(wait: f64, least: f64, most: f64) {
    assert!(
        wait >= least && wait <= most + SLACK,
        "{wait} is not in {least}..={most}"
    );
}

#[tokio::test(start_paused = true)]
async fn polls_that_succeed_are_an_interval_apart_with_jitter() {
    let exporter = exporter(healthy(Vec::new())).await;
    let waits = waits(&exporter, 12, Request::is_list).await;
    for wait in &waits {
        within(*wait, 28.0, 31.5);
    }
    let spread =
        waits.iter().copied().fold(0.0, f64::max) - waits.iter().copied().fold(99.0, f64::min);
    assert!(spread > 0.2, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn polls_that_fail_back_off_to_a_minute_or_two_and_start_over_after_a_success() {
    let exporter = exporter(listing(|_| Answer::error(500, "Down"))).await;
    let waits_of_failures = waits(&exporter, 10, Request::is_list).await;
    let expected = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0];
    for (wait, expected) in waits_of_failures.iter().zip(expected) {
        within(*wait, expected, 2.0 * expected);
    }
    let [.., a, b, c] = waits_of_failures[..] else {
        panic!("{waits_of_failures:?}")
    };
    assert!((a - b).abs() > 0.0 || (b - c).abs() > 0.0, "no jitter");
    exporter.api.follow(healthy(Vec::new()));
    let known = waits(&exporter, 11, Request::is_list).await.len();
    exporter
        .api
        .follow(listing(|_| Answer::error(500, "Down again")));
    let waits = waits(&exporter, 14, Request::is_list).await;
    within(waits[known + 1], 1.0, 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_secret_is_tried_again_after_minutes_with_one_request_each() {
    let exporter = exporter(|_| Answer::error(401, "Bad credentials")).await;
    for wait in waits(&exporter, 4, |_| true).await {
        within(wait, 300.0, 360.0);
    }
    exporter.api.follow(healthy(events(2, "A")));
    exporter.pass(8 * STEP, Duration::from_mins(7)).await;
    assert!(is(2.0)(exporter.counted().await));
    assert!(is(1.0)(exporter.value("nexmo_audit_up").await));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed_in_both_forms() {
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let then = httpdate::fmt_http_date(date + Duration::from_secs(90));
    let cases = [
        Answer::error(429, "Slow down").header("Retry-After", "90"),
        Answer::error(503, "Busy").header("Retry-After", "90"),
        Answer::error(429, "Slow down")
            .header("Retry-After", "90")
            .without_date(),
        Answer::error(429, "Slow down")
            .header("Retry-After", &then)
            .dated(date),
    ];
    for answer in cases {
        let exporter = exporter(listing(move |_| answer.clone())).await;
        let waits = waits(&exporter, 3, Request::is_list).await;
        for wait in waits {
            within(wait, 90.0, 91.0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_that_always_says_retry_at_once_is_not_stormed() {
    let busy = Answer::error(503, "Busy").header("Retry-After", "0");
    let exporter = exporter(listing(move |_| busy.clone())).await;
    exporter.pass(STEP, Duration::from_mins(10)).await;
    let requests = exporter.times(Request::is_list).len();
    assert!((8..=16).contains(&requests), "{requests}");
}
