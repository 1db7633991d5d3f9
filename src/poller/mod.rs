//! Polls one account: decides when to read, when to commit, and how long to wait after a
//! failure.

mod collector;
mod first_start;
mod gate_watch;
pub mod health;
mod instrumentation;
mod lookback;
mod missing;
mod piece;
mod reporter;
mod schedule;
mod system_clock;
mod traits;
mod type_list;
mod watched_client;

pub(crate) use system_clock::SystemClock;
pub use traits::{Api, Clock, Storage};
pub(crate) use watched_client::WatchedClient;

use std::{sync::Arc, time::Duration};

use audit_core::{
    account::{Account, PollStart},
    event::TypeFilter,
    outbox::Outbox,
    sweep::{Recount, RecountSettings},
    window::WindowSettings,
};
use fastrand::Rng;
use jiff::SignedDuration;

use crate::{exposition::AccountExposition, gate::SharedGate, metrics::AccountMetrics};
use collector::{Collector, PollCounts, PollError};
use first_start::first_start;
use health::AccountHealth;
use reporter::PollReporter;
use schedule::Schedule;
use type_list::TypeList;

/// The settings of a poller.
#[derive(Debug, Clone)]
pub struct PollerSettings {
    /// The time from the beginning of one poll to the beginning of the next.
    pub interval: Duration,
    /// How far back a poll reads, and how long ids are remembered.
    pub window: WindowSettings,
    /// The time from one deep sweep to the next; zero for no deep sweeps.
    pub deep_sweep_interval: Duration,
    /// How far back a deep sweep reads.
    pub deep_sweep_lookback: SignedDuration,
    /// The time that counting begins at when the account has no stored counts.
    pub start: PollStart,
    /// The uptime at which the account was taken up: when the process started, or when a
    /// reload added the account or changed its key. Without stored counts, `start` is
    /// meant from this moment.
    pub taken_up: Duration,
    /// The highest number of series; see [`Ledger::new`](audit_core::ledger::Ledger::new).
    pub max_series: usize,
    /// The number of events that are few: a poll that finds more asks what changed within the
    /// lookback, and reads only that.
    pub few_events: u64,
    /// The wait before the first poll, so that not all accounts begin at once.
    pub first_poll_in: Duration,
}

impl PollerSettings {
    fn recount(&self) -> RecountSettings {
        RecountSettings {
            few: self.few_events,
            longest: self.window.lookback.saturating_mul(2),
        }
    }
}

/// The parts that a poller works with.
#[derive(Debug)]
pub struct PollerParts<A, S, C> {
    /// The API of the account.
    pub api: Arc<A>,
    /// The storage of the account's counts.
    pub storage: S,
    /// The clocks.
    pub clock: C,
    /// The metrics of the poller's own work.
    pub metrics: Arc<AccountMetrics>,
    /// The handle that shows the account's counts.
    pub exposition: AccountExposition,
    /// The gate, which decides when counts may be shown.
    pub gate: Arc<SharedGate>,
    /// The health of the account, for the landing page and the probes.
    pub health: Arc<AccountHealth>,
    /// The lines of the event log that are not written yet.
    pub outbox: Outbox,
    /// The filter of the events that are counted.
    pub filter: TypeFilter,
    /// The generator of the jitter of polls and retries.
    pub rng: Rng,
}

/// Polls one account, with or without stored counts.
#[derive(Debug)]
pub struct Poller<A, S, C> {
    settings: PollerSettings,
    api: Arc<A>,
    clock: C,
    gate: Arc<SharedGate>,
    reporter: PollReporter,
    /// The collector of an account with stored counts, or the parts for a new account.
    stored: Result<Collector<A, S, C>, NewAccount<S>>,
}

/// The parts that become the collector of an account once its start is known.
#[derive(Debug)]
struct NewAccount<S> {
    storage: S,
    metrics: Arc<AccountMetrics>,
    exposition: AccountExposition,
    outbox: Outbox,
    filter: TypeFilter,
    recount: RecountSettings,
}

/// Where the counts of an account come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The account counts for the first time.
    FirstStart,
    /// The account was read from the store, without its ids.
    Store,
}

/// A poller whose account has begun to count.
#[derive(Debug)]
struct Polling<A, S, C> {
    settings: PollerSettings,
    api: Arc<A>,
    clock: C,
    reporter: PollReporter,
    type_list: TypeList,
    /// `true` once the event types have counters.
    types_are_named: bool,
    /// The uptime at which the next deep sweep begins.
    deep_sweep_due: Duration,
    collector: Collector<A, S, C>,
}

impl<A: Api, S: Storage, C: Clock + Clone> Poller<A, S, C> {
    /// Creates the poller of an account; `stored` is the account as it was read from the
    /// store. Stored counts are shown at once.
    #[must_use]
    pub fn new(
        settings: PollerSettings,
        parts: PollerParts<A, S, C>,
        stored: Option<Account>,
    ) -> Self {
        let PollerParts {
            api,
            storage,
            clock,
            metrics,
            exposition,
            gate,
            health,
            outbox,
            filter,
            rng,
        } = parts;
        let schedule = Schedule::new(settings.interval, rng);
        let reporter = PollReporter::new(schedule, Arc::clone(&metrics), health);
        let new = NewAccount {
            storage,
            metrics,
            exposition,
            outbox,
            filter,
            recount: settings.recount(),
        };
        let stored = match stored {
            Some(account) => Ok(new.collector(account, Origin::Store, (&api, &clock, &gate))),
            None => Err(new),
        };
        Self {
            settings,
            api,
            clock,
            gate,
            reporter,
            stored,
        }
    }

    /// Polls without end. The future may be dropped at any await: counts are shown only
    /// after they are stored.
    ///
    /// The future is small while the poller waits, which is nearly always, since there may
    /// be ten thousand of them: what is needed for the beginning or for one poll is in a
    /// box of its own.
    pub async fn run(self: Box<Self>) {
        let uptime = self.clock.uptime();
        let wait = self.settings.first_poll_in;
        let first_poll = uptime.saturating_add(wait);
        if self.stored.is_err() {
            self.reporter.expect_wait(uptime, wait);
            self.clock.sleep_until(first_poll).await;
        }
        let mut polling = Box::pin(self.begin()).await;
        polling.wait_for_next_poll(first_poll, false).await;
        polling.run().await;
    }

    /// Creates the collector. An account without stored counts needs the time of the API
    /// for this, so the future waits until an outage of the API ends.
    async fn begin(self: Box<Self>) -> Box<Polling<A, S, C>> {
        let Self {
            settings,
            api,
            clock,
            gate,
            mut reporter,
            stored,
        } = *self;
        let mut type_list = TypeList::new();
        // The first poll of a new account reads all that a deep sweep would read again.
        let wait = match &stored {
            Ok(_) => Duration::ZERO,
            Err(_) => settings.deep_sweep_interval,
        };
        let deep_sweep_due = clock.uptime().saturating_add(wait);
        let collector = match stored {
            Ok(collector) => collector,
            Err(new) => {
                let account = first_start(&settings, &*api, &clock, &mut type_list, &mut reporter);
                let account = account.await;
                new.collector(account, Origin::FirstStart, (&api, &clock, &gate))
            }
        };
        Box::new(Polling {
            settings,
            api,
            clock,
            reporter,
            type_list,
            types_are_named: false,
            deep_sweep_due,
            collector,
        })
    }
}

impl<S: Storage> NewAccount<S> {
    fn collector<A: Api, C: Clock + Clone>(
        self,
        mut account: Account,
        origin: Origin,
        (api, clock, gate): (&Arc<A>, &C, &Arc<SharedGate>),
    ) -> Collector<A, S, C> {
        account.outbox = self.outbox;
        account.filter = self.filter;
        let parts = (Arc::clone(api), self.storage, clock.clone());
        let shown = (self.exposition, Arc::clone(gate));
        let account = (account, origin, Recount::new(self.recount));
        Collector::new(parts, account, self.metrics, shown)
    }
}

impl<A: Api, S: Storage, C: Clock> Polling<A, S, C> {
    async fn run(&mut self) {
        loop {
            let begun = self.clock.uptime();
            let mut counts = PollCounts::default();
            let outcome = Box::pin(self.poll(&mut counts)).await;
            let ended = self.clock.uptime();
            let (took, at) = (ended.saturating_sub(begun), self.clock.local());
            let succeeded = outcome.is_ok();
            let wait = match outcome {
                Ok(()) => {
                    let read = (self.collector.account(), self.collector.limits);
                    self.reporter.succeeded(read, counts, took, at)
                }
                Err(error) => {
                    let wait = self.reporter.failed(&error, took, at);
                    self.reporter.expect_wait(ended, wait);
                    wait
                }
            };
            self.wait_for_next_poll(ended.saturating_add(wait), succeeded)
                .await;
        }
    }

    async fn poll(&mut self, counts: &mut PollCounts) -> Result<(), PollError> {
        let uptime = self.clock.uptime();
        let refreshed = self.type_list.refresh(&*self.api, uptime);
        let refreshed = self.collector.commit_meanwhile(refreshed, |_, _| {});
        let is_new = refreshed.await?.is_some();
        if is_new || !self.types_are_named {
            self.collector.name_types(self.type_list.take());
            self.types_are_named = true;
        }
        self.collector.poll(counts).await?;
        self.type_list.others_succeed(self.clock.uptime());
        Ok(())
    }

    /// Waits for the next poll, which is due at the uptime `until`, or earlier if the last
    /// poll failed and another is worth a try. Meanwhile deep sweeps are read if the last poll
    /// succeeded, and counts are shown as the gate allows it.
    async fn wait_for_next_poll(&mut self, until: Duration, succeeded: bool) {
        if succeeded {
            Box::pin(self.deep_sweep(until)).await;
        }
        let Self {
            api,
            clock,
            reporter,
            collector,
            ..
        } = self;
        let wait = async {
            if succeeded {
                return clock.sleep_until(until).await;
            }
            let retry = async {
                tokio::select! {
                    () = clock.sleep_until(until) => {}
                    () = api.retry_early() => {}
                }
            };
            Box::pin(retry).await;
        };
        let expect_wait = |now: Duration, look_due: Option<Duration>| {
            let next = look_due.unwrap_or(until).min(until);
            reporter.expect_wait(now, next.saturating_sub(now));
        };
        collector.commit_meanwhile(wait, expect_wait).await;
    }

    /// Begins a deep sweep if one is due, and reads its pieces until the uptime `until`.
    /// At least one piece is read, so that a deep sweep also ends where polls take
    /// longer than their interval.
    async fn deep_sweep(&mut self, until: Duration) {
        let interval = self.settings.deep_sweep_interval;
        let now = self.clock.uptime();
        if !interval.is_zero() && now >= self.deep_sweep_due {
            self.deep_sweep_due = now.saturating_add(interval);
            self.collector
                .begin_deep_sweep(self.settings.deep_sweep_lookback);
        }
        while self.collector.is_in_deep_sweep() {
            if let Err(error) = self.collector.continue_deep_sweep().await {
                self.reporter.deep_sweep_failed(&error);
                return;
            }
            if !self.collector.is_in_deep_sweep() {
                self.collector.report_lateness(interval);
            }
            if self.clock.uptime() >= until {
                return;
            }
        }
    }
}
