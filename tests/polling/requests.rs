//! How many requests a poll sends: as many as there is news, however long the lookback is.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::Offset};
use serde_json::json;
use test_support::audit_event::{event, with, written};
use test_support::exporter::is;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, listing};
use tokio::time::Instant;

use crate::paused_exporter::PausedExporter;

const STEP: Duration = Duration::from_secs(1);

/// An API that has recorded so many events each second, for an hour before the start and
/// after it, and lists the newest first.
#[derive(Clone, Copy)]
struct Recorder {
    begun: Instant,
    base: i64,
    per_second: i64,
    /// The second after the start in which an event appears that was created so much earlier.
    late: Option<(i64, i64)>,
}

impl Recorder {
    fn start(per_second: i64, late: Option<(i64, i64)>) -> Self {
        // The clock of this machine is ahead by a day, so that the exporter believes the API.
        let base = (Timestamp::now() - SignedDuration::from_hours(24)).as_second();
        Self {
            begun: Instant::now(),
            base,
            per_second,
            late,
        }
    }

    fn now(&self) -> i64 {
        self.base + i64::try_from(self.begun.elapsed().as_secs()).expect("hours")
    }

    fn answer(&self, request: &Request) -> Answer {
        let from = bound(request, "date_from")
            .unwrap_or(0)
            .max(self.base - 3600);
        let to = bound(request, "date_to")
            .unwrap_or(i64::MAX)
            .min(self.now());
        let late = self
            .late
            .map(|(appears, by)| (self.base + appears, self.base + appears - by));
        let late = late
            .filter(|(appears, created)| *appears <= self.now() && (from..=to).contains(created));
        let steady = (to - from + 1).max(0) * self.per_second;
        let total = steady + i64::from(late.is_some());
        let size = request.parameter("size").and_then(|size| size.parse().ok());
        let size: i64 = size.unwrap_or(30);
        let page = i64::try_from(request.page()).expect("a page");
        // The late event stands where its time puts it.
        let place = late.map_or(i64::MAX, |(_, created)| (to - created) * self.per_second);
        let shown = (size * (page - 1)..total.min(size * page)).map(|number| {
            let before = i64::from(number > place);
            let second = to - (number - before) / self.per_second.max(1);
            let id = match (number == place, self.per_second) {
                (true, _) => "late".to_owned(),
                (_, rate) => format!("e{second}-{}", (number - before) % rate.max(1)),
            };
            let created_at = Timestamp::from_second(second).expect("a time");
            with(event(&id, "A"), "created_at", json!(written(created_at)))
        });
        let link = json!({"href": "http://127.0.0.1:9/beta/audit/events"});
        Answer::json(
            200,
            &json!({
                "_embedded": {"events": shown.collect::<Vec<_>>()},
                "_links": {"self": link},
                "page": {"size": size, "totalElements": total},
            }),
        )
    }

    async fn polled(self) -> PausedExporter {
        let list = listing(move |request| self.answer(request));
        let dated = move |request: &Request| {
            let now = u64::try_from(self.now()).expect("a time");
            list(request).dated(SystemTime::UNIX_EPOCH + Duration::from_secs(now))
        };
        let api = ScriptedApi::start_here(dated).await;
        let settings = ["--poll.interval=30s", "--poll.start=16m"];
        PausedExporter::polling(api, &settings).await
    }
}

fn bound(request: &Request, name: &str) -> Option<i64> {
    let time: DateTime = request.parameter(name)?.parse().expect("a time");
    Some(Offset::UTC.to_timestamp(time).expect("a time").as_second())
}

fn lists(exporter: &PausedExporter) -> usize {
    exporter.times(Request::is_list).len()
}

/// Returns the numbers of list requests and of polls within the next five minutes.
async fn within_five_minutes(exporter: &PausedExporter) -> (usize, f64) {
    const POLLS: &str = "nexmo_audit_poll_duration_seconds_count";
    let before = (lists(exporter), exporter.value(POLLS).await);
    exporter.pass(STEP, Duration::from_mins(5)).await;
    let polls = exporter.value(POLLS).await - before.1;
    assert!(polls >= 9.0, "{polls} polls");
    (lists(exporter) - before.0, polls)
}

/// Checks that polls of an account that records 10 events each second send at most 6 requests.
async fn sends_few_requests(exporter: &PausedExporter) {
    let (requests, polls) = within_five_minutes(exporter).await;
    let requests = f64::from(u32::try_from(requests).expect("a few"));
    assert!(
        requests <= 6.0 * polls,
        "{requests} requests of {polls} polls"
    );
}

#[tokio::test(start_paused = true)]
async fn ten_events_a_second_take_at_most_six_requests_a_poll() {
    let exporter = Recorder::start(10, None).polled().await;
    exporter.pass(STEP, Duration::from_secs(100)).await;
    sends_few_requests(&exporter).await;
}

#[tokio::test(start_paused = true)]
async fn a_quiet_account_takes_one_request_a_poll() {
    let exporter = Recorder::start(0, None).polled().await;
    exporter.pass(STEP, Duration::from_secs(100)).await;
    let (requests, polls) = within_five_minutes(&exporter).await;
    assert!(is(polls)(f64::from(
        u32::try_from(requests).expect("a few")
    )));
}

#[tokio::test(start_paused = true)]
async fn a_late_event_in_the_middle_of_the_lookback_is_counted_by_the_next_poll() {
    let exporter = Recorder::start(10, Some((300, 450))).polled().await;
    exporter.pass(STEP, Duration::from_secs(290)).await;
    let lag = "nexmo_audit_ingest_lag_seconds_sum";
    let before = exporter.value(lag).await;
    exporter.pass(STEP, Duration::from_secs(45)).await;
    let lag = exporter.value(lag).await - before;
    // The other events of the poll were counted at most a poll after their creation.
    assert!(lag >= 450.0, "{lag}");
    sends_few_requests(&exporter).await;
}
