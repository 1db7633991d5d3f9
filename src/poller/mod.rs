//! Polls one account: when to sweep, and what to do when that fails.

mod collector;
pub mod health;
mod instrumentation;
mod piece;
mod reporter;
mod schedule;
mod system_clock;
mod traits;
mod type_list;
mod watched_client;

pub use system_clock::SystemClock;
pub use traits::{Api, Clock, Storage};
pub use watched_client::WatchedClient;

use std::{sync::Arc, time::Duration};

use audit_core::{
    account::{Account, PollStart},
    event::{Keep, Page, TypeFilter},
    outbox::Outbox,
    window::WindowSettings,
};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use crate::{
    api::{ApiError, PageQuery},
    exposition::AccountExposition,
    gate::SharedGate,
    metrics::AccountMetrics,
};
use collector::{Collector, PollCounts, PollError};
use health::AccountHealth;
use reporter::PollReporter;
use schedule::Schedule;
use type_list::{TypeList, TypesReceived};

/// How often the gate is looked at while it holds something back.
const GATE_INTERVAL: Duration = Duration::from_secs(1);

/// How an account is polled.
#[derive(Debug, Clone)]
pub struct PollerSettings {
    /// From the beginning of one poll to that of the next.
    pub interval: Duration,
    /// How far back to read.
    pub window: WindowSettings,
    /// From one deep poll to the next; zero for none.
    pub deep_sweep_interval: Duration,
    /// How far back a deep poll reads.
    pub deep_sweep_lookback: SignedDuration,
    /// What the first start counts from.
    pub start: PollStart,
    /// See [`Ledger::new`](audit_core::ledger::Ledger::new).
    pub max_series: usize,
    /// How long the first poll waits, so that not all accounts begin at once.
    pub first_poll_in: Duration,
}

/// What a poller works with.
#[derive(Debug)]
pub struct PollerParts<A, S, C> {
    /// Asks the API.
    pub api: Arc<A>,
    /// Keeps the counts.
    pub storage: S,
    /// Tells the time.
    pub clock: C,
    /// Where the poller's own work is counted.
    pub metrics: Arc<AccountMetrics>,
    /// Where counts are shown.
    pub exposition: AccountExposition,
    /// When counts may be shown.
    pub gate: Arc<SharedGate>,
    /// Where a person looks.
    pub health: Arc<AccountHealth>,
    /// Where lines of the event log begin.
    pub outbox: Outbox,
    /// Which events are counted.
    pub filter: TypeFilter,
    /// Spreads polls and retries, so that many exporters do not keep step.
    pub rng: Rng,
}

/// Polls one account, which may never have been counted before.
#[derive(Debug)]
pub struct Poller<A, S, C> {
    settings: PollerSettings,
    api: Arc<A>,
    clock: C,
    gate: Arc<SharedGate>,
    reporter: PollReporter,
    stored: Result<Collector<A, S, C>, NewAccount<S>>,
}

/// What an account that was never counted will be counted with.
#[derive(Debug)]
struct NewAccount<S> {
    storage: S,
    metrics: Arc<AccountMetrics>,
    exposition: AccountExposition,
    outbox: Outbox,
    filter: TypeFilter,
}

/// A poller at work.
#[derive(Debug)]
struct Polling<A, S, C> {
    settings: PollerSettings,
    api: Arc<A>,
    clock: C,
    gate: Arc<SharedGate>,
    reporter: PollReporter,
    types: TypeList,
    /// The uptime at which the next deep sweep begins.
    deep_sweep_due: Duration,
    collector: Collector<A, S, C>,
}

impl<A: Api, S: Storage, C: Clock + Clone> Poller<A, S, C> {
    /// Takes up the account as it was `stored`. What the account has shown is shown
    /// again at once.
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
        };
        let stored = match stored {
            Some(account) => Ok(new.collector(account, (&api, &clock, &gate))),
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

    /// Polls for ever. The future may be dropped at any await: what was shown is
    /// stored.
    pub async fn run(self) {
        let first_poll_in = self.settings.first_poll_in;
        if !first_poll_in.is_zero() {
            let uptime = self.clock.uptime();
            self.reporter.expect_wait(uptime, first_poll_in);
            let begin = uptime.saturating_add(first_poll_in);
            self.clock.sleep_until(begin).await;
        }
        self.begin().await.run().await;
    }

    /// Begins to poll. An account that was never counted begins when the API tells its
    /// time, which may take as long as an outage.
    async fn begin(self) -> Polling<A, S, C> {
        let Self {
            settings,
            api,
            clock,
            gate,
            mut reporter,
            stored,
        } = self;
        let mut types = TypeList::new();
        // What a first start has read a moment ago need not be read back.
        let wait = match &stored {
            Ok(_) => Duration::ZERO,
            Err(_) => settings.deep_sweep_interval,
        };
        let deep_sweep_due = clock.uptime().saturating_add(wait);
        let mut collector = match stored {
            Ok(collector) => collector,
            Err(new) => {
                let account = first_start(&settings, &*api, &clock, &mut types, &mut reporter);
                new.collector(account.await, (&api, &clock, &gate))
            }
        };
        collector.name_types(types.named());
        Polling {
            settings,
            api,
            clock,
            gate,
            reporter,
            types,
            deep_sweep_due,
            collector,
        }
    }
}

impl<S: Storage> NewAccount<S> {
    fn collector<A: Api, C: Clock + Clone>(
        self,
        mut account: Account,
        (api, clock, gate): (&Arc<A>, &C, &Arc<SharedGate>),
    ) -> Collector<A, S, C> {
        account.outbox = self.outbox;
        account.filter = self.filter;
        let parts = (Arc::clone(api), self.storage, clock.clone());
        let shown = (self.exposition, Arc::clone(gate));
        Collector::new(parts, account, self.metrics, shown)
    }
}

/// The account as it begins, at the API's time of when this process began.
async fn first_start(
    settings: &PollerSettings,
    api: &impl Api,
    clock: &impl Clock,
    types: &mut TypeList,
    reporter: &mut PollReporter,
) -> Account {
    let date = loop {
        let begun = clock.uptime();
        match ask_the_time(api, clock, types).await {
            Ok(date) => break date,
            Err(error) => {
                let ended = clock.uptime();
                let took = ended.saturating_sub(begun);
                let wait = reporter.failed(&error.into(), took, clock.local());
                reporter.expect_wait(ended, wait);
                clock.sleep_until(ended.saturating_add(wait)).await;
            }
        }
    };
    let (start, began) = settings.start.resolve(date, clock.uptime());
    instrumentation::CountingBegins { from: start }.record();
    Account::new(settings.window, start, began, settings.max_series)
}

async fn ask_the_time(
    api: &impl Api,
    clock: &impl Clock,
    types: &mut TypeList,
) -> Result<Timestamp, ApiError> {
    if let Some(TypesReceived { date: Some(date) }) = types.refresh(api, clock.uptime()).await? {
        return Ok(date);
    }
    let now = clock.local();
    let query = PageQuery {
        from: now,
        to: None,
        page: 1,
    };
    let answer = api.page(query).await?;
    // A page of a captive portal has a date, too.
    Page::parse(&answer.value, Keep::Parsed).map_err(ApiError::body)?;
    Ok(answer.date.unwrap_or(now))
}

impl<A: Api, S: Storage, C: Clock> Polling<A, S, C> {
    async fn run(mut self) {
        loop {
            let begun = self.clock.uptime();
            let mut counts = PollCounts::default();
            let outcome = self.poll(&mut counts).await;
            let ended = self.clock.uptime();
            let (took, at) = (ended.saturating_sub(begun), self.clock.local());
            let succeeded = outcome.is_ok();
            let wait = match outcome {
                Ok(()) => {
                    let account = self.collector.account();
                    self.reporter.succeeded(account, counts, took, at)
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
        if self.types.refresh(&*self.api, uptime).await?.is_some() {
            self.collector.name_types(self.types.named());
        }
        self.collector.poll(counts).await?;
        self.types.others_succeed(self.clock.uptime());
        Ok(())
    }

    /// Uses the time until the next poll, at an uptime of `until`: for deep sweeps, and
    /// to show what the gate lets be shown meanwhile.
    async fn wait_for_next_poll(&mut self, until: Duration, may_ask: bool) {
        if may_ask {
            self.deep_sweep(until).await;
        }
        loop {
            let now = self.clock.uptime();
            if now >= until {
                return;
            }
            let next = if self.collector.is_settled() {
                until
            } else {
                until.min(now.saturating_add(GATE_INTERVAL))
            };
            self.reporter.expect_wait(now, next.saturating_sub(now));
            tokio::select! {
                () = self.clock.sleep_until(next) => {}
                () = self.gate.unstored() => {}
            }
            if self.collector.commit_if_needed().await.is_err() {
                // The next poll begins with the same commit, and tells of the failure.
                let now = self.clock.uptime();
                self.reporter.expect_wait(now, until.saturating_sub(now));
                return self.clock.sleep_until(until).await;
            }
            self.collector.observe_pending();
        }
    }

    /// Reads back, a piece at a time, so that the next poll is not late; but one
    /// piece at least, or polls that take longer than their interval would let
    /// nothing be read.
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
            if self.clock.uptime() >= until {
                return;
            }
        }
    }
}
