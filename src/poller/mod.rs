//! Polls one account: when to sweep, what to do when that fails, and when to show
//! what was counted.

mod outcome;
mod schedule;
mod start;

pub use start::PollStart;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    account::Account,
    client::{ApiError, Client, ListQuery, PAGE_SIZE},
    event::{EventType, Page},
    exposition::Exposition,
    ledger::Ledger,
    metrics::SelfMetrics,
    status::{Failing, Progress, Status},
    window::{Clocks, Range, Step, Sweep, Window, WindowSettings},
};
use schedule::Schedule;

/// How often the list of event types is asked for: the vendor changes it from
/// time to time.
const TYPES_INTERVAL: Duration = Duration::from_hours(4);

/// How an account is polled.
#[derive(Debug, Clone)]
pub struct PollerSettings {
    /// From the beginning of one poll to that of the next.
    pub interval: Duration,
    /// For one request; only used to tell a slow poller from a stalled one.
    pub request_timeout: Duration,
    /// How far back to read.
    pub window: WindowSettings,
    /// What the first start counts from.
    pub start: PollStart,
    /// See [`Ledger::new`].
    pub max_series: usize,
}

/// Polls one account.
#[derive(Debug)]
pub struct Poller {
    settings: PollerSettings,
    client: Client,
    metrics: Arc<SelfMetrics>,
    exposition: Arc<Exposition>,
    status: Arc<Status>,
    schedule: Schedule,
    started: Instant,
    /// `None` until the API has told its time.
    account: Option<Account>,
    types: Vec<EventType>,
    types_due: Instant,
    progress: Progress,
}

/// What one poll did.
#[derive(Debug, Default)]
struct Report {
    pages: u64,
    counted: u64,
}

impl Poller {
    /// A poller that has not polled yet.
    #[must_use]
    pub fn new(
        settings: PollerSettings,
        client: Client,
        metrics: Arc<SelfMetrics>,
        exposition: Arc<Exposition>,
        status: Arc<Status>,
    ) -> Self {
        let now = Instant::now();
        Self {
            schedule: Schedule::new(settings.interval, fastrand::Rng::new()),
            settings,
            client,
            metrics,
            exposition,
            status,
            started: now,
            account: None,
            types: Vec::new(),
            types_due: now,
            progress: Progress::default(),
        }
    }

    /// Polls for ever. Dropping the future at any await loses nothing that was
    /// shown.
    pub async fn run(mut self) {
        loop {
            let wait = self.poll_once().await;
            self.status.expect_life(Instant::now().into_std(), wait);
            tokio::time::sleep(wait).await;
        }
    }

    /// Polls once, shows what was counted, and says how long to wait.
    async fn poll_once(&mut self) -> Duration {
        let begun = Instant::now();
        let mut report = Report::default();
        let outcome = self.poll(&mut report).await;
        // What was counted before a failure is counted.
        if let Some(account) = &self.account {
            self.exposition.publish(&account.ledger, &self.types);
        }
        let wait = match outcome {
            Ok(()) => self.succeeded(&report, begun.elapsed()),
            Err(error) => self.failed(&error, begun.elapsed()),
        };
        self.status.record(self.progress.clone());
        wait
    }

    async fn poll(&mut self, report: &mut Report) -> Result<(), ApiError> {
        let date = self.refresh_types().await?;
        if self.account.is_none() {
            self.account = Some(self.first_start(date).await?);
        }
        self.sweep(report).await
    }

    /// Asks for the event types when that is due; says what time the API has, if
    /// it was asked. An API without such a list is an API all the same.
    async fn refresh_types(&mut self) -> Result<Option<Timestamp>, ApiError> {
        let now = Instant::now();
        if now < self.types_due {
            return Ok(None);
        }
        self.expect_request();
        match self.client.types().await {
            Ok(answer) => {
                self.types_due = now + TYPES_INTERVAL;
                self.types = answer.value;
                self.name_types();
                Ok(answer.date)
            }
            Err(error @ (ApiError::Status { .. } | ApiError::Body { .. })) => {
                self.types_due = now + TYPES_INTERVAL;
                outcome::TypesFailed { error: &error }.record();
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn name_types(&mut self) {
        if let Some(account) = &mut self.account {
            account
                .ledger
                .name_types(self.types.iter().map(|known| known.name.as_str()));
        }
    }

    /// The account as it begins, at the API's time of when this poller began.
    async fn first_start(&mut self, date: Option<Timestamp>) -> Result<Account, ApiError> {
        let date = match date {
            Some(date) => date,
            None => self.ask_the_time().await?,
        };
        let start = self.settings.start.resolve(date, self.started.elapsed());
        outcome::CountingBegins { from: start }.record();
        let mut ledger = Ledger::new(self.settings.max_series);
        ledger.name_types(self.types.iter().map(|known| known.name.as_str()));
        Ok(Account {
            window: Window::new(self.settings.window, start),
            ledger,
        })
    }

    async fn ask_the_time(&self) -> Result<Timestamp, ApiError> {
        self.expect_request();
        let now = Timestamp::now();
        let answer = self
            .client
            .list(ListQuery {
                from: now,
                to: None,
                page: 1,
            })
            .await?;
        Ok(answer.date.unwrap_or(now))
    }

    /// Reads everything that may be new, page by page.
    async fn sweep(&mut self, report: &mut Report) -> Result<(), ApiError> {
        let Some(account) = &mut self.account else {
            return Ok(());
        };
        let mut sweep = Sweep::new(PAGE_SIZE);
        let mut range = Range {
            from: account.window.sweep_start(Timestamp::now()),
            to: None,
        };
        let mut started = None;
        loop {
            match sweep.step() {
                Step::Read(page) => {
                    self.status
                        .expect_life(Instant::now().into_std(), self.settings.request_timeout);
                    let local = Timestamp::now();
                    let query = ListQuery {
                        from: range.from,
                        to: range.to,
                        page,
                    };
                    let answer = self.client.list(query).await?;
                    let api = answer.date.unwrap_or(local);
                    started.get_or_insert(Clocks { api, local });
                    let page = Page::parse(&answer.value).map_err(ApiError::body)?;
                    sweep.take(&page);
                    let tally = account.count(&page, api);
                    report.pages += 1;
                    report.counted += tally.lags.len() as u64;
                    outcome::PageCounted {
                        tally: &tally,
                        at: local,
                    }
                    .record(&self.metrics);
                }
                Step::ReadAgain => {
                    // With an end to the range, what arrives meanwhile shifts nothing.
                    range.to = started.map(|clocks| clocks.api);
                    sweep.read_again();
                }
                Step::Short { missing } => {
                    outcome::SweepShort {
                        missing,
                        seen: sweep.distinct(),
                    }
                    .record();
                    break;
                }
                Step::Whole => break,
            }
        }
        if let Some(started) = started {
            account.window.complete_sweep(started);
        }
        Ok(())
    }

    fn succeeded(&mut self, report: &Report, took: Duration) -> Duration {
        let Some(account) = &self.account else {
            return self.schedule.after_success(took);
        };
        let at = Timestamp::now();
        let window = &account.window;
        if let Some(watermark) = window.watermark() {
            let newest = window.newest();
            let (pages, counted) = (report.pages, report.counted);
            outcome::PollSucceeded {
                took,
                pages,
                counted,
                at,
                watermark,
                newest,
            }
            .record(&self.metrics);
        }
        let before = std::mem::replace(
            &mut self.progress,
            Progress {
                last_success: Some(at),
                watermark: window.watermark(),
                failing: None,
            },
        );
        let counted = report.counted;
        if before.last_success.is_none() {
            outcome::FirstSuccess { counted }.record();
        } else if let Some(failing) = before.failing {
            outcome::Recovered {
                failed_since: failing.since,
                counted,
            }
            .record();
        }
        self.schedule.after_success(took)
    }

    fn failed(&mut self, error: &ApiError, took: Duration) -> Duration {
        let next_in = self.schedule.after_failure(error);
        let text = error.to_string();
        let before = self.progress.failing.take();
        let changed = before.as_ref().is_none_or(|failing| failing.error != text);
        outcome::PollFailed {
            error,
            took,
            next_in,
            changed,
        }
        .record(&self.metrics);
        let since = before.map_or_else(Timestamp::now, |failing| failing.since);
        self.progress.failing = Some(Failing { since, error: text });
        next_in
    }

    fn expect_request(&self) {
        self.status
            .expect_life(Instant::now().into_std(), self.settings.request_timeout);
    }
}
