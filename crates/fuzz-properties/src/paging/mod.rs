//! The paging plan: the poller of the program reads a list that has limits which it does not
//! tell, whose answers come in any order, and which for a while answers anything.
//!
//! Whatever the API does, the poller ends to ask. Once the API keeps to its rules, each event
//! of the list is counted once, or the exporter shows that events are missing.

mod api;
mod list;

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Waker},
    time::Duration,
};

use audit_core::{
    account::{Commit, PollStart},
    event::{EventId, TypeFilter},
    gate::{Gate, SavedGate, ScrapeInterval},
    outbox::Outbox,
    window::{Ids, WindowSettings},
};
use jiff::SignedDuration;
use nexmo_audit_exporter::{
    exposition::{Encoding, Exposition, ExpositionSettings, Format, Variant},
    gate::SharedGate,
    metrics::{AccountMetrics, ProcessMetrics},
    poller::{Clock, Poller, PollerParts, PollerSettings, Storage, health::AccountHealth},
};

use crate::{
    Bytes,
    simulated_time::{ProcessClock, SimulatedTime, moment},
};
use api::ListApi;
use list::{List, SECONDS};

const DEEP_INTERVAL: Duration = Duration::from_mins(2);
/// The type of all events.
const TYPE: &str = "T";
const MISSING: &str = "nexmo_audit_reconcile_missing_events ";
/// The longest time in which the API may answer anything.
const LONGEST_ODD: Duration = Duration::from_mins(10);
/// The time in which everything is read once the API keeps to its rules.
const CALM: Duration = Duration::from_mins(7);

pub fn holds(data: &[u8]) {
    let mut bytes = Bytes(data);
    let few_events = [0, 30, 300][usize::from(bytes.byte() % 3)];
    let fails = u32::from(bytes.byte());
    let list = Arc::new(List::new(&mut bytes));
    let time = SimulatedTime::default();
    let api = ListApi::new(&list, &time, &mut bytes);
    let stored = MemoryStorage::default();
    stored.lock().fails = fails;
    let mut process = Process::start(&api, &stored, &time, few_events);
    let shown = Duration::from_secs(SECONDS + 64);
    process.run_until(shown);
    while !api.is_calm() && time.now() < LONGEST_ODD {
        process.run_until(time.now() + Duration::from_secs(10));
    }
    api.calm();
    process.run_until(time.now() + CALM);
    let missing = process.missing();
    is_counted_or_missing(&list, &stored, missing);
}

fn is_counted_or_missing(list: &List, stored: &MemoryStorage, told: u64) {
    let stored = stored.lock();
    let is_missing = |id: &String| !stored.ids.contains(&EventId::from_text(id));
    let missing: Vec<_> = list.ids().filter(is_missing).collect();
    let unreachable = list.unreachable();
    assert!(
        missing.len() <= unreachable,
        "{} events are not counted, {unreachable} of them cannot be read, and {told} are said to be missing: {list:?}",
        missing.len()
    );
    assert!(
        missing.is_empty() || told > 0,
        "{} events are missing, which is not told: {list:?}",
        missing.len()
    );
    assert_eq!(stored.total, stored.ids.len() as u64, "counted once each");
}

/// A storage in memory.
#[derive(Debug, Clone, Default)]
struct MemoryStorage(Arc<Mutex<Stored>>);

#[derive(Debug, Default)]
struct Stored {
    /// The ids of all events that were counted.
    ids: BTreeSet<EventId>,
    /// The total of the only event type that events have.
    total: u64,
    /// Bits that say which of the next commits fail.
    fails: u32,
}

/// The error of a commit.
#[derive(Debug, thiserror::Error)]
#[error("no space left on device")]
struct DiskFull;

impl MemoryStorage {
    fn lock(&self) -> std::sync::MutexGuard<'_, Stored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryStorage {
    type Error = DiskFull;

    /// No process goes on from a state that was stored.
    async fn ids(&mut self, ids: Ids) -> Result<Ids, DiskFull> {
        Ok(ids)
    }

    async fn commit(&mut self, commit: Arc<Commit>, _: Arc<SavedGate>) -> Result<(), DiskFull> {
        let mut stored = self.lock();
        let fails = stored.fails & 1 == 1;
        stored.fails >>= 1;
        if fails {
            return Err(DiskFull);
        }
        stored
            .ids
            .extend(commit.ids.iter().map(|remembered| remembered.id));
        for change in &commit.changes.types {
            if &*change.key == TYPE {
                stored.total = change.saved.total;
            }
        }
        Ok(())
    }
}

/// A running process.
struct Process {
    time: SimulatedTime,
    exposition: Arc<Exposition>,
    work: Pin<Box<dyn Future<Output = ()>>>,
}

impl Process {
    fn start(
        api: &ListApi,
        storage: &MemoryStorage,
        time: &SimulatedTime,
        few_events: u64,
    ) -> Self {
        let process = Arc::new(ProcessMetrics::new().expect("metrics"));
        let metrics = Arc::new(AccountMetrics::new(&[], &process));
        let gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
        let gate = Arc::new(SharedGate::new(gate));
        let exposition = Arc::new(Exposition::new(
            process,
            Arc::clone(&gate),
            ExpositionSettings::default(),
        ));
        let clock = ProcessClock::of_new_process(time);
        let parts = PollerParts {
            api: Arc::new(api.clone()),
            storage: storage.clone(),
            metrics: Arc::clone(&metrics),
            exposition: exposition.add(None, Arc::clone(&metrics)),
            gate,
            health: Arc::new(AccountHealth::new(None, metrics, clock.uptime())),
            outbox: Outbox::default(),
            filter: TypeFilter::default(),
            rng: fastrand::Rng::with_seed(7),
            clock,
        };
        let poller = Poller::new(settings(few_events), parts, None);
        Self {
            time: time.clone(),
            exposition,
            work: Box::pin(Box::new(poller).run()),
        }
    }

    /// Runs the process until this time.
    fn run_until(&mut self, end: Duration) {
        let mut context = Context::from_waker(Waker::noop());
        loop {
            assert!(self.work.as_mut().poll(&mut context).is_pending());
            if !self.time.pass(end) {
                return;
            }
        }
    }

    /// Returns the number of missing events that a scrape shows.
    fn missing(&self) -> u64 {
        let text = Variant::new(Format::Text, Encoding::Identity);
        let answer = self.exposition.scrape(None, text, self.time.now());
        let answer = answer.expect("an answer").parts.concat();
        let answer = std::str::from_utf8(&answer).expect("UTF-8");
        let missing = answer.lines().find_map(|line| line.strip_prefix(MISSING));
        missing
            .expect("the metric")
            .trim()
            .parse()
            .expect("a number")
    }
}

fn settings(few_events: u64) -> PollerSettings {
    let deep_sweep_lookback = SignedDuration::from_mins(30);
    PollerSettings {
        interval: Duration::from_secs(30),
        window: WindowSettings {
            lookback: SignedDuration::from_secs(60),
            retention: deep_sweep_lookback + SignedDuration::from_hours(1),
        },
        deep_sweep_interval: DEEP_INTERVAL,
        deep_sweep_lookback,
        start: PollStart::At(moment(Duration::ZERO)),
        taken_up: Duration::ZERO,
        max_series: 100,
        few_events,
        first_poll_in: Duration::ZERO,
    }
}
