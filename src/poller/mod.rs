//! Polls one account: when to sweep, and what to do when that fails.

mod api;
mod collector;
mod course;
mod outcome;
pub mod roster;
mod schedule;
pub mod status;
mod sweep;
mod types;

pub use api::{Api, Clock, Storage, SystemClock};
pub use collector::{Collector, PollError, Report};

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::{
    api::{ApiError, Client, ListQuery},
    exposition::AccountExposition,
    metrics::SelfMetrics,
    poller::status::Status,
};
use api::WatchedClient;
use audit_core::{
    account::{Account, PollStart},
    event::{Page, TypeFilter},
    outbox::Outbox,
    window::WindowSettings,
};
use course::Course;
use types::{Refreshed, Types};

/// How often the gate is looked at while it holds something back.
const GATE_INTERVAL: Duration = Duration::from_secs(1);

/// How an account is polled.
#[derive(Debug, Clone)]
pub struct PollerSettings {
    /// From the beginning of one poll to that of the next.
    pub interval: Duration,
    /// For one request; only used to tell a slow poller from a stalled one.
    pub request_timeout: Duration,
    /// How far back to read.
    pub window: WindowSettings,
    /// From one deep poll to the next; zero for none.
    pub reconcile_interval: Duration,
    /// How far back a deep poll reads.
    pub reconcile_lookback: SignedDuration,
    /// What the first start counts from.
    pub start: PollStart,
    /// See [`Ledger::new`](audit_core::ledger::Ledger::new).
    pub max_series: usize,
    /// How long the first poll waits, so that not all accounts begin at once.
    pub first_poll_in: Duration,
}

/// What a poller works with.
#[derive(Debug)]
pub struct Parts<S> {
    /// Asks the API.
    pub client: Client,
    /// Keeps the counts.
    pub storage: S,
    /// Tells the time.
    pub clock: SystemClock,
    /// Where the poller's own work is counted.
    pub metrics: Arc<SelfMetrics>,
    /// Where counts are shown.
    pub exposition: AccountExposition,
    /// Where a person looks.
    pub status: Arc<Status>,
    /// Where lines of the event log begin.
    pub outbox: Outbox,
    /// Which events are counted.
    pub filter: TypeFilter,
}

/// Polls one account.
#[derive(Debug)]
pub struct Poller<S> {
    settings: PollerSettings,
    api: Arc<WatchedClient>,
    course: Course,
    types: Types,
    deep_due: Instant,
    collector: Collecting<S>,
}

type Collecting<S> = Collector<WatchedClient, S, SystemClock>;

/// A poller of an account that may never have been counted before.
#[derive(Debug)]
pub struct PollerStart<S> {
    settings: PollerSettings,
    api: Arc<WatchedClient>,
    course: Course,
    stored: Result<Collecting<S>, NewAccount<S>>,
}

/// What an account that was never counted will be counted with.
#[derive(Debug)]
struct NewAccount<S> {
    storage: S,
    clock: SystemClock,
    metrics: Arc<SelfMetrics>,
    exposition: AccountExposition,
    outbox: Outbox,
    filter: TypeFilter,
}

impl<S: Storage> PollerStart<S> {
    /// Takes up the account as it was stored; what it showed is shown at once.
    #[must_use]
    pub fn new(settings: PollerSettings, parts: Parts<S>, stored: Option<Account>) -> Self {
        let Parts {
            client,
            storage,
            clock,
            metrics,
            exposition,
            status,
            outbox,
            filter,
        } = parts;
        let course = Course::new(settings.interval, Arc::clone(&metrics), Arc::clone(&status));
        let api = Arc::new(WatchedClient::new(client, status, settings.request_timeout));
        let new = NewAccount {
            storage,
            clock,
            metrics,
            exposition,
            outbox,
            filter,
        };
        Self {
            stored: match stored {
                Some(account) => Ok(new.collector(account, &api)),
                None => Err(new),
            },
            settings,
            api,
            course,
        }
    }

    /// Polls for ever. Dropping the future at any await loses nothing that was
    /// shown.
    pub async fn run(self) {
        let first_poll_in = self.settings.first_poll_in;
        if !first_poll_in.is_zero() {
            let begin = Instant::now() + first_poll_in;
            self.course.expect_rest(begin);
            tokio::time::sleep_until(begin).await;
        }
        self.begin().await.run().await;
    }

    /// An account that was never counted begins when the API tells its time; that
    /// may take as long as an outage.
    async fn begin(self) -> Poller<S> {
        let Self {
            settings,
            api,
            mut course,
            stored,
        } = self;
        let mut types = Types::new();
        // What was read this moment need not be read back.
        let wait = match &stored {
            Ok(_) => Duration::ZERO,
            Err(_) => settings.reconcile_interval,
        };
        let deep_due = Instant::now() + wait;
        let mut collector = match stored {
            Ok(collector) => collector,
            Err(new) => {
                let account =
                    first_start(&settings, &api, new.clock, &mut types, &mut course).await;
                new.collector(account, &api)
            }
        };
        collector.name_types(types.named());
        Poller {
            settings,
            api,
            course,
            types,
            deep_due,
            collector,
        }
    }
}

impl<S: Storage> NewAccount<S> {
    fn collector(self, mut account: Account, api: &Arc<WatchedClient>) -> Collecting<S> {
        account.outbox = self.outbox;
        account.filter = self.filter;
        let parts = (Arc::clone(api), self.storage, self.clock);
        Collector::new(parts, account, self.metrics, self.exposition)
    }
}

/// The account as it begins, at the API's time of when this process began.
async fn first_start(
    settings: &PollerSettings,
    api: &WatchedClient,
    clock: SystemClock,
    types: &mut Types,
    course: &mut Course,
) -> Account {
    let date = loop {
        let begun = Instant::now();
        match ask_the_time(api, clock, types).await {
            Ok(date) => break date,
            Err(error) => {
                let wait = course.failed(&error.into(), begun.elapsed());
                tokio::time::sleep(wait).await;
            }
        }
    };
    let (start, began) = settings.start.resolve(date, clock.uptime());
    outcome::CountingBegins { from: start }.record();
    Account::new(settings.window, start, began, settings.max_series)
}

async fn ask_the_time(
    api: &WatchedClient,
    clock: SystemClock,
    types: &mut Types,
) -> Result<Timestamp, ApiError> {
    if let Some(Refreshed { date: Some(date) }) = types.refresh(api).await? {
        return Ok(date);
    }
    let now = clock.local();
    let answer = api
        .list(ListQuery {
            from: now,
            to: None,
            page: 1,
        })
        .await?;
    // A page of a captive portal has a date, too.
    Page::parse(&answer.value).map_err(ApiError::body)?;
    Ok(answer.date.unwrap_or(now))
}

impl<S: Storage> Poller<S> {
    async fn run(mut self) {
        loop {
            let begun = Instant::now();
            let mut report = Report::default();
            let outcome = self.poll(&mut report).await;
            let took = begun.elapsed();
            let succeeded = outcome.is_ok();
            let wait = match outcome {
                Ok(()) => self
                    .course
                    .succeeded(self.collector.account(), report, took),
                Err(error) => self.course.failed(&error, took),
            };
            self.rest(Instant::now() + wait, succeeded).await;
        }
    }

    async fn poll(&mut self, report: &mut Report) -> Result<(), PollError> {
        if self.types.refresh(&self.api).await?.is_some() {
            self.collector.name_types(self.types.named());
        }
        self.collector.poll(report).await?;
        self.types.others_succeed();
        Ok(())
    }

    /// The time until the next poll: for deep sweeps, and for what the gate lets
    /// be shown meanwhile.
    async fn rest(&mut self, until: Instant, may_ask: bool) {
        if may_ask {
            self.reconcile(until).await;
        }
        while Instant::now() < until {
            let next_look = Instant::now() + GATE_INTERVAL;
            let next = if self.collector.is_settled() {
                until
            } else {
                until.min(next_look)
            };
            self.course.rest(next).await;
            if self.collector.commit_if_needed().await.is_err() {
                // The next poll begins with it, and says so.
                self.course.expect_rest(until);
                return tokio::time::sleep_until(until).await;
            }
            self.collector.observe_pending();
        }
    }

    /// Reads back, a piece at a time, so that the next poll is not late; but one
    /// piece at least, or polls that take longer than their interval would let
    /// nothing be read.
    async fn reconcile(&mut self, until: Instant) {
        let interval = self.settings.reconcile_interval;
        if !interval.is_zero() && Instant::now() >= self.deep_due {
            self.deep_due = Instant::now() + interval;
            self.collector
                .begin_deep_sweep(self.settings.reconcile_lookback);
        }
        while self.collector.is_in_deep_sweep() {
            if let Err(error) = self.collector.continue_deep_sweep().await {
                self.course.deep_sweep_failed(&error);
                return;
            }
            if Instant::now() >= until {
                return;
            }
        }
    }
}
