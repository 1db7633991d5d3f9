//! Which events count as late, and what is said of an API whose events always are.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use test_support::audit_event::{event, with, written};
use test_support::exporter::is;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, listing};
use tokio::time::Instant;

use crate::paused_exporter::PausedExporter;

const STEP: Duration = Duration::from_secs(5);
const LATE: &str = "nexmo_audit_late_events_total";
/// What the exporter says of an API whose events are always late.
const REGULAR: &str = "events are regularly late";

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// The clock of the API, which runs with that of the test. The clock of this machine does
/// not, and is ahead by a day, so that the exporter believes the API.
#[derive(Clone, Copy)]
struct ApiClock {
    begun: Instant,
    base: Timestamp,
}

impl ApiClock {
    fn start() -> Self {
        let day = SignedDuration::from_hours(24);
        Self {
            begun: Instant::now(),
            base: Timestamp::from_second((Timestamp::now() - day).as_second()).expect("a time"),
        }
    }

    fn now(&self) -> Timestamp {
        self.base + SignedDuration::try_from(self.begun.elapsed()).expect("hours")
    }

    fn at(&self, seconds: i64) -> Timestamp {
        self.base + SignedDuration::from_secs(seconds)
    }
}

/// An event: when it is created and when it appears in the list, in seconds since the
/// start.
type Recorded = (i64, i64);

/// An API that lists these events by their range.
fn lists(clock: ApiClock, recorded: Vec<Recorded>) -> impl Fn(&Request) -> Answer + Send + Sync {
    let list = listing(move |request| {
        let bound = |name: &str| request.parameter(name);
        let (from, to) = (bound("date_from"), bound("date_to"));
        let is_listed = |(created, appears): &Recorded| {
            let created = written(clock.at(*created));
            clock.at(*appears) <= clock.now()
                && from.as_ref().is_none_or(|from| created >= *from)
                && to.as_ref().is_none_or(|to| created <= *to)
        };
        let shown: Vec<_> = recorded.iter().filter(|one| is_listed(one)).collect();
        let shown: Vec<_> = shown
            .iter()
            .map(|(created, _)| made(clock, *created))
            .collect();
        Answer::list(&shown)
    });
    move |request| list(request).dated(SystemTime::from(clock.now()))
}

fn made(clock: ApiClock, created: i64) -> Value {
    let event = event(&format!("e{created}"), "A");
    with(event, "created_at", json!(written(clock.at(created))))
}

async fn start(clock: ApiClock, recorded: Vec<Recorded>, settings: &[&str]) -> PausedExporter {
    let api = ScriptedApi::start_here(lists(clock, recorded)).await;
    PausedExporter::polling(api, settings).await
}

/// Returns what was said of events that are always late.
fn regular(exporter: &PausedExporter) -> Vec<String> {
    let mut warnings = exporter.warnings();
    warnings.retain(|warning| warning.contains(REGULAR));
    warnings
}

fn minutes(minutes: i64) -> Duration {
    Duration::from_secs(60 * minutes.unsigned_abs())
}

/// One event a minute, which appears `late` seconds after its creation.
fn one_a_minute(until: i64, late: i64) -> Vec<Recorded> {
    let created = (1..until / MINUTE).map(|minute| minute * MINUTE + 7);
    created.map(|created| (created, created + late)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_an_outage_of_the_api_delayed_is_not_late() {
    let clock = ApiClock::start();
    let recorded = one_a_minute(50 * MINUTE, 0);
    let exporter = start(clock, recorded.clone(), &["--poll.lookback=5m"]).await;
    exporter.pass(STEP, minutes(10)).await;
    exporter.api.follow(|_| Answer::error(503, "Down"));
    exporter.pass(STEP, minutes(30)).await;
    exporter.api.follow(lists(clock, recorded));
    exporter.pass(STEP, minutes(15)).await;
    assert!(is(49.0)(exporter.counted().await));
    assert!(is(0.0)(exporter.value(LATE).await));
}

#[tokio::test(start_paused = true)]
async fn what_a_suspended_machine_slept_through_is_not_late() {
    let clock = ApiClock::start();
    let recorded = one_a_minute(4 * HOUR, 0);
    let exporter = start(clock, recorded, &["--poll.lookback=5m"]).await;
    exporter.pass(STEP, minutes(10)).await;
    // The machine is suspended, deep polls included.
    exporter.pass(minutes(225), minutes(225)).await;
    exporter.pass(STEP, minutes(10)).await;
    assert!(is(239.0)(exporter.counted().await));
    assert!(is(0.0)(exporter.value(LATE).await));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_only_a_deep_poll_finds_is_late() {
    let clock = ApiClock::start();
    // In time, a little late, and later than a poll looks back.
    let recorded = vec![(60, 60), (120, 900), (180, 2700)];
    let exporter = start(clock, recorded, &["--poll.interval=30s"]).await;
    exporter.pass(STEP, minutes(50)).await;
    assert!(is(2.0)(exporter.counted().await));
    assert!(is(0.0)(exporter.value(LATE).await));
    exporter.pass(STEP, minutes(15)).await;
    assert!(is(3.0)(exporter.counted().await));
    assert!(is(1.0)(exporter.value(LATE).await));
    assert_eq!(regular(&exporter), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn events_that_are_late_by_the_same_span_again_and_again_are_warned_of_once() {
    let clock = ApiClock::start();
    // The times of creation are in a time zone that is an hour behind that of `Date`.
    let recorded = one_a_minute(5 * HOUR, HOUR);
    let exporter = start(clock, recorded, &["--poll.interval=5m"]).await;
    exporter.pass(STEP, minutes(5 * 60)).await;
    assert!(exporter.counted().await > 150.0);
    let warnings = regular(&exporter);
    let [warning] = &warnings[..] else {
        panic!("{warnings:?}")
    };
    let (_, span) = warning.split_once("late_by_seconds=").expect("a span");
    let span = span.split(' ').next().unwrap_or_default();
    let span: f64 = span.parse().expect("seconds");
    assert!((3600.0..4000.0).contains(&span), "{warning}");
}

#[tokio::test(start_paused = true)]
async fn events_that_are_late_now_and_then_are_not_warned_of() {
    let clock = ApiClock::start();
    let mut recorded = one_a_minute(4 * HOUR, 0);
    let late = one_a_minute(4 * HOUR, 30 * MINUTE);
    let late = late.iter().step_by(8);
    recorded.extend(late.map(|(created, appears)| (created + 1, appears + 1)));
    let exporter = start(clock, recorded, &["--poll.interval=5m"]).await;
    exporter.pass(STEP, minutes(4 * 60)).await;
    assert!(exporter.value(LATE).await > 5.0);
    assert_eq!(regular(&exporter), Vec::<String>::new());
}
