//! The time from which events count, and the clock that decides it.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_support::audit_event::{event, with, written};
use test_support::exporter::{ONE_POLL, is};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy, listing};
use tokio::time::Instant;

use crate::paused_exporter::PausedExporter;

const STEP: Duration = Duration::from_secs(1);

/// Makes an event that was created so many seconds after `base`.
fn created(id: &str, base: Timestamp, seconds: i64) -> Value {
    let time = base + SignedDuration::from_secs(seconds);
    with(event(id, "A"), "created_at", json!(written(time)))
}

fn first_date_from(exporter: &PausedExporter) -> Timestamp {
    let requests = exporter.api.requests();
    let list = requests.iter().find(|r| r.is_list()).expect("a list");
    let text = list.parameter("date_from").expect("a start");
    format!("{text}Z").parse().expect("a time")
}

#[tokio::test(start_paused = true)]
async fn counting_starts_where_it_is_told_to() {
    let now = Timestamp::now();
    let base = now - SignedDuration::from_secs(10_000);
    let cases = [
        ("--poll.start=now", now, 0.0),
        ("--poll.start=2h", now - SignedDuration::from_hours(2), 1.0),
        (&*format!("--poll.start={base:.0}"), base, 2.0),
        (
            "--poll.start=7d",
            now - SignedDuration::from_hours(168),
            3.0,
        ),
    ];
    let recorded = [
        created("old", base, -60),
        created("at the start", base, 0),
        created("young", base, 8000),
    ];
    for (setting, start, expected) in cases {
        let api = ScriptedApi::start_here(healthy(recorded.to_vec())).await;
        let exporter = PausedExporter::polling(api, &[&ONE_POLL[..], &[setting]].concat()).await;
        exporter.pass(STEP, 2 * STEP).await;
        let off = first_date_from(&exporter).duration_since(start).as_secs();
        assert!((-3..=20).contains(&off), "{setting}: {off} s");
        assert!(is(expected)(exporter.counted().await), "{setting}");
    }
}

/// An API whose clock runs with that of the test, and is `ahead` seconds ahead of this
/// machine.
fn clock(ahead: i64) -> impl Fn() -> Timestamp + Clone + Send + Sync + 'static {
    let (begun, base) = (Instant::now(), Timestamp::now());
    move || {
        let passed = SignedDuration::try_from(begun.elapsed()).expect("minutes");
        base + passed + SignedDuration::from_secs(ahead)
    }
}

fn dated(answer: Answer, time: Timestamp) -> Answer {
    answer.dated(SystemTime::from(time))
}

/// The list at a time on the API's clock: one event a minute since the beginning.
fn one_a_minute(base: Timestamp, now: Timestamp) -> Vec<Value> {
    let minutes = now.duration_since(base).as_mins();
    let made = |minute| created(&format!("minute-{minute}"), base, 60 * minute + 1);
    (0..minutes).map(made).collect()
}

#[tokio::test(start_paused = true)]
async fn an_api_whose_clock_is_off_by_an_hour_is_counted_whole() {
    for ahead in [-3600, 0, 3600] {
        let now = clock(ahead);
        let base = now();
        let script = move |request: &Request| {
            let now = now();
            let answer = if request.is_types() {
                Answer::types(&["A"])
            } else {
                Answer::list(&one_a_minute(base, now))
            };
            dated(answer, now)
        };
        let api = ScriptedApi::start_here(script).await;
        let exporter = PausedExporter::polling(api, &["--poll.interval=20s"]).await;
        exporter.pass(STEP, Duration::from_secs(20 * 60 + 40)).await;
        assert!(is(20.0)(exporter.counted().await), "{ahead}");
        let late = exporter.value("nexmo_audit_late_events_total").await;
        assert!(is(0.0)(late), "{ahead}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_that_is_ahead_of_times_of_creation_loses_no_event() {
    for ahead in [3600, -3600] {
        let (created, date) = (clock(0), clock(ahead));
        let base = created();
        let script = move |request: &Request| {
            let answer = if request.is_types() {
                Answer::types(&["A"])
            } else {
                Answer::list(&one_a_minute(base, created()))
            };
            dated(answer, date())
        };
        let api = ScriptedApi::start_here(script).await;
        let exporter = PausedExporter::polling(api, &["--poll.interval=20s"]).await;
        exporter.pass(STEP, Duration::from_secs(26 * 60 + 40)).await;
        assert!(is(26.0)(exporter.counted().await), "{ahead}");
        let late = exporter.value("nexmo_audit_late_events_total").await;
        assert!(is(0.0)(late), "{ahead}");
        let warnings = exporter.warnings();
        let says = |warning: &&String| warning.contains("differ; counting begins");
        assert_eq!(warnings.iter().filter(says).count(), 1, "{warnings:?}");
    }
}

/// An API that has an event of each of the last days, and one of each minute from now on. Its
/// `Date` is `ahead` seconds ahead.
async fn with_history(ahead: i64) -> PausedExporter {
    let (now, date) = (clock(0), clock(ahead));
    let base = now();
    let script = move |request: &Request| {
        let mut listed = one_a_minute(base, now());
        let days = (0..40).map(|day| created(&format!("day-{day}"), base, -60 - 86_400 * day));
        listed.extend(days);
        let from = request.parameter("date_from").unwrap_or_default();
        listed.retain(|event| event["created_at"].as_str() >= Some(&*from));
        let answer = if request.is_types() {
            Answer::types(&["A"])
        } else {
            Answer::list(&listed)
        };
        dated(answer, date())
    };
    let api = ScriptedApi::start_here(script).await;
    PausedExporter::polling(api, &["--poll.interval=20s"]).await
}

#[tokio::test(start_paused = true)]
async fn a_date_that_events_disprove_is_not_believed() {
    const NOT_BELIEVED: &str = "is far behind an event that was created already";
    let since_1970 = Timestamp::now().as_second();
    for (ahead, is_disproved) in [
        (-since_1970, true),
        (-16 * 3600, true),
        (-3600, false),
        (0, false),
        (86_400, false),
    ] {
        let exporter = with_history(ahead).await;
        exporter.pass(STEP, Duration::from_secs(10 * 60 + 40)).await;
        // An hour back there is one event, which may be new by the clock of the API.
        let old = f64::from(u8::from(ahead == -3600));
        let counted = exporter.counted().await;
        assert!(is(10.0 + old)(counted), "{ahead}: {counted}");
        let warnings = exporter.warnings();
        let said = warnings.iter().filter(|line| line.contains(NOT_BELIEVED));
        assert_eq!(said.count(), usize::from(is_disproved), "{warnings:?}");
    }
}

/// The states of an API during the first ten minutes.
#[tokio::test(start_paused = true)]
async fn a_failing_api_at_the_first_start_loses_no_event_since() {
    let troubles = [
        Answer::error(500, "Down"),
        Answer::reset(),
        // A captive portal answers, whose clock is wrong as well.
        Answer::new(200, "<html>Sign in</html>").dated(SystemTime::now() + Duration::from_hours(2)),
    ];
    for trouble in troubles {
        let api = ScriptedApi::start_here(move |_| trouble.clone()).await;
        // The clock of this machine is not paused, and must not be the earlier one.
        let now = clock(-3600);
        let base = now();
        let exporter = PausedExporter::polling(api, &["--poll.interval=30s"]).await;
        exporter.pass(STEP, Duration::from_mins(10)).await;
        let recorded = [
            created("before", base, -60),
            created("at once", base, 0),
            created("soon", base, 1),
            created("later", base, 300),
        ];
        let sane = healthy(recorded.to_vec());
        exporter
            .api
            .follow(move |request| dated(sane(request), now()));
        exporter.pass(STEP, Duration::from_mins(3)).await;
        assert!(
            is(3.0)(exporter.counted().await),
            "{}",
            exporter.counted().await
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_that_tells_no_time_is_counted_by_this_clock() {
    let api = ScriptedApi::start_here(listing(|_| {
        Answer::list(&[event("a", "A"), event("b", "A")]).without_date()
    }))
    .await;
    let exporter = PausedExporter::polling(api, &["--poll.interval=30s", "--poll.start=1h"]).await;
    exporter.pass(STEP, Duration::from_mins(2)).await;
    assert!(is(2.0)(exporter.counted().await));
    let watermark = exporter
        .value("nexmo_audit_watermark_timestamp_seconds")
        .await;
    let now = Timestamp::now().as_duration().as_secs_f64();
    assert!((now - watermark).abs() < 60.0, "{watermark}");
}
