//! Lists with limits that no page tells: each event is counted, or the number of missing
//! events is told.

use std::future::pending;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use std::{env, thread};

use audit_simulator::{
    BeyondLast, ExtraEvent, IncludedBounds, ListOrder, Simulator, SimulatorHandle,
    SimulatorSettings, TimeFormat,
};
use clap::ValueEnum as _;
use fastrand::Rng;
use jiff::SignedDuration;
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, is};
use test_support::exposition;
use test_support::program::{API_KEY, API_SECRET, command};
use tokio::runtime::Runtime;

/// The number of combinations that are tried.
const COMBINATIONS: u64 = 36;
/// The number of combinations that are tried at once. Each waits for most of its time.
const AT_ONCE: usize = 6;
const MISSING: &str = "nexmo_audit_reconcile_missing_events";
/// The time in which a list grows.
const TRAFFIC: Duration = Duration::from_secs(3);
/// The longest time until an event that was created enters a list.
const LATE_BY: Duration = Duration::from_secs(2);
/// The age of a second in which many events were created.
const DENSE_AGE: SignedDuration = SignedDuration::from_mins(45);

/// A simulator in this process.
struct SimulatedApi {
    handle: SimulatorHandle,
    base_url: String,
    _runtime: Runtime,
}

impl SimulatedApi {
    fn start(settings: SimulatorSettings) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let settings = SimulatorSettings {
            listen_address: ([127, 0, 0, 1], 0).into(),
            api_key: API_KEY.into(),
            api_secret: API_SECRET.into(),
            history_span: Duration::from_mins(40),
            ..settings
        };
        let simulator = runtime.block_on(Simulator::bind(settings));
        let simulator = simulator.expect("a simulator");
        let (handle, base_url) = (simulator.handle(), simulator.base_url());
        runtime.spawn(simulator.run(pending()));
        Self {
            handle,
            base_url,
            _runtime: runtime,
        }
    }

    fn poll(&self, more: &[&str]) -> Exporter {
        let settings = [
            "--poll.interval=500ms",
            "--poll.lookback=1h",
            "--metrics.scrape-interval=0s",
            "--log.level=debug",
        ];
        let settings = [&settings, more].concat();
        Exporter::started_by(&mut command(), &self.base_url, &settings)
    }
}

impl Deref for SimulatedApi {
    type Target = SimulatorHandle;

    fn deref(&self) -> &Self::Target {
        &self.handle
    }
}

fn no_poll_failed(exporter: &Exporter) {
    let samples = exposition::samples(&exporter.page("/metrics"));
    let of_polls = samples
        .iter()
        .filter(|sample| sample.name == "nexmo_audit_poll_failures_total");
    let failures: f64 = of_polls.map(|sample| sample.value).sum();
    assert!(is(0.0)(failures), "{}", exporter.program.log());
}

/// Waits until so many events are counted.
fn wait_for_count(exporter: &Exporter, events: u64) {
    eventually("the count", Duration::from_mins(1), || {
        let counted = exporter.counted();
        #[expect(clippy::cast_precision_loss, reason = "a test has few events")]
        let expected = events as f64;
        if is(expected)(counted) {
            return Ok(());
        }
        let log = exporter.program.log();
        Err(format!("{counted} of {events} are counted\n{log}"))
    });
}

fn history(history: u32) -> SimulatorSettings {
    SimulatorSettings {
        history,
        rate: 0.0,
        ..SimulatorSettings::default()
    }
}

#[test]
fn a_list_that_shrinks_while_its_pages_are_read_costs_no_poll() {
    for beyond_last in [BeyondLast::Object, BeyondLast::NotFound] {
        let api = SimulatedApi::start(SimulatorSettings {
            shrink_share: 0.5,
            beyond_last: Some(beyond_last),
            ..history(450)
        });
        let exporter = api.poll(&[]);
        wait_for_count(&exporter, 450);
        exporter.wait_for_polls(5);
        exporter.wait_for(MISSING, &[], is(0.0));
        no_poll_failed(&exporter);
    }
}

#[test]
fn a_limit_is_met_again_after_a_restart_without_a_failed_poll() {
    let api = SimulatedApi::start(SimulatorSettings {
        limit_pages: Some(2),
        beyond_last: Some(BeyondLast::NotFound),
        ..history(450)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let storage = format!("--storage.path={}", folder.path().display());
    for _ in 0..2 {
        let exporter = api.poll(&[&storage]);
        wait_for_count(&exporter, 450);
        exporter.wait_for_text("/", "shows no more than 200 events of one query");
        exporter.wait_for_polls(2);
        no_poll_failed(&exporter);
        // The lookback is read in parts at every poll, and that is no catching up.
        let lines = exporter.program.lines();
        let mut later = lines
            .iter()
            .skip_while(|line| !line.contains("first poll succeeded"));
        assert!(
            !later.any(|line| line.contains("catching up")),
            "{lines:#?}"
        );
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the seed repeats a failure")]
fn every_event_is_counted_or_told_to_be_missing_whatever_limits_a_list_has() {
    let now = || SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_nanos();
    let seed = env::var("LIMITS_SEED").ok().map(|seed| seed.parse());
    let seed: u64 = seed.map_or_else(
        || u64::try_from(now() % 1_000_000).expect("a number"),
        |seed| seed.expect("a number"),
    );
    println!("LIMITS_SEED={seed}");
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= COMBINATIONS {
                        return;
                    }
                    let mut rng = Rng::with_seed(seed * COMBINATIONS + number);
                    let list = settings(&mut rng);
                    println!("combination {number}: {list:?}");
                    is_counted_or_missing(list, rng.u8(0..4) == 0);
                }
            });
        }
    });
}

/// Polls a list until it has ended to grow, and then until all of it is counted; `is_dense`
/// adds a second that has more events than the list may show.
fn is_counted_or_missing(list: SimulatorSettings, is_dense: bool) {
    let most = most_shown(&list);
    let tells_number = !list.without_page && list.limit_total.is_none();
    let api = SimulatedApi::start(list);
    let dense = if is_dense { 150 } else { 0 };
    let created_at = api.now() - DENSE_AGE;
    for _ in 0..dense {
        let _ = api.record(&ExtraEvent {
            created_at: Some(created_at),
            ..ExtraEvent::new("NUMBER_ASSIGN")
        });
    }
    let unreachable = most.map_or(0, |most| u64::saturating_sub(dense, most));
    let deep = "--poll.reconcile-interval=2s";
    let exporter = api.poll(&[deep, "--poll.reconcile-lookback=1h"]);
    let begun = api.now();
    eventually("the end of the traffic", 10 * TRAFFIC, || {
        let passed = api.now().duration_since(begun).unsigned_abs();
        let has_ended = passed > TRAFFIC + LATE_BY;
        has_ended.then_some(()).ok_or(format!("{passed:?} passed"))
    });
    let all: u64 = api.counts(None).into_values().sum();
    wait_for_count(&exporter, all - unreachable);
    exporter.wait_for(MISSING, &[], |missing| match unreachable {
        0 => is(0.0)(missing),
        _ if tells_number => is(f64::from(u32::try_from(unreachable).expect("a number")))(missing),
        _ => missing > 0.0,
    });
    exporter.wait_until_up();
}

/// Returns the number of events that one query shows at most.
fn most_shown(list: &SimulatorSettings) -> Option<u64> {
    let of_pages = |pages| pages * list.clamp_size.unwrap_or(100);
    list.limit_total.or(list.limit_pages.map(of_pages))
}

/// Draws a list, whose limit is higher than the number of events in one second of its
/// traffic.
fn settings(rng: &mut Rng) -> SimulatorSettings {
    let limit_total = (rng.u8(0..3) == 0).then(|| {
        let any = rng.u64(100..400);
        let round = 100 * rng.u64(1..5);
        if rng.bool() { any } else { round }
    });
    let limit_pages = (limit_total.is_none() && rng.bool()).then(|| rng.u64(2..5));
    let is_limited = limit_total.is_some() || limit_pages.is_some();
    let without_page = rng.u8(0..3) == 0;
    let is_growing = rng.bool();
    // A list that is shuffled for each reading is read whole only where it says how many
    // events it has.
    let all = [ListOrder::Newest, ListOrder::Oldest, ListOrder::Reshuffled];
    let orders = if is_limited || without_page {
        &all[..2]
    } else {
        &all
    };
    SimulatorSettings {
        limit_total,
        limit_pages,
        clamp_size: rng.bool().then(|| rng.u64(30..=100)),
        without_page,
        without_next: rng.bool(),
        order: draw(rng, orders),
        bounds: draw(rng, IncludedBounds::value_variants()),
        time_format: draw(rng, TimeFormat::value_variants()),
        beyond_last: rng.bool().then(|| draw(rng, BeyondLast::value_variants())),
        shrink_share: if rng.bool() { 0.1 } else { 0.0 },
        rate: if is_growing { 15.0 } else { 0.0 },
        steady: true,
        traffic_for: Some(TRAFFIC),
        late_share: if is_growing { 0.2 } else { 0.0 },
        late_by: LATE_BY,
        latency: Duration::from_millis(rng.u64(0..4)),
        seed: rng.u64(..),
        ..history(rng.u32(150..700))
    }
}

fn draw<T: Copy>(rng: &mut Rng, values: &[T]) -> T {
    values[rng.usize(..values.len())]
}
