//! One process of the exporter: the real collector, gate and exposition, in the
//! order that the real poller keeps.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use audit_core::{
    account::Account,
    event::{EventType, Keep, Page},
    gate::Gate,
};
use jiff::{SignedDuration, Timestamp};
use nexmo_audit_exporter::{
    api::{ApiError, ListQuery},
    exposition::{AccountExposition, Exposition, ExpositionSettings},
    metrics::{ProcessMetrics, SelfMetrics},
    poller::{Api, Clock, Collector, PollError, Report},
};

use crate::{
    api::{Beginning, WorldApi},
    clock::{MINUTE, Ms, SECOND, shown, timestamp},
    disk::{MAX_SERIES, StoredAccount},
    mutant::Mutant,
    world::Shared,
};

/// How often the gate is looked at while it holds something back.
const GATE_INTERVAL: Ms = SECOND;
/// How long a process has been up when it starts whose gate believes that someone
/// scraped all along.
const PHANTOM_UPTIME: Ms = 3 * MINUTE;

/// A process that runs.
pub(crate) struct Process {
    pub(crate) exposition: Arc<Exposition>,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Process {
    /// Starts one on what is durable.
    pub(crate) fn start(shared: &Shared, metrics: &Arc<SelfMetrics>) -> Self {
        let (plan, mut stored, memory) = {
            let mut world = shared.lock();
            world.started = world.now;
            world.note(|| "starts".into());
            let plan = Arc::clone(&world.plan);
            let stored = world.disk.account(&plan);
            (plan, stored, world.disk.gate(&world))
        };
        let gate = Gate::new(plan.polls.scrape_interval, &memory);
        let exposition = Arc::new(Exposition::new(
            Arc::new(ProcessMetrics::new().expect("a registry")),
            gate,
            ExpositionSettings::default(),
        ));
        let place = exposition.add(None, Arc::clone(metrics));
        if let Some(account) = stored.as_mut().filter(|account| account.stage.caught_up) {
            let (everything, start) = (account.ledger.all(), account.stage.start);
            place.publish(&mut account.ledger, &everything, &Arc::default(), start);
        }
        let work = Work {
            world: shared.clone(),
            api: Arc::new(WorldApi(shared.clone())),
            types_due: plan.polls.types_named,
            failures: 0,
            deep_due: shared.lock().now,
        };
        let metrics = Arc::clone(metrics);
        Self {
            exposition,
            work: Box::pin(async move { work.run(stored, metrics, place).await }),
        }
    }

    /// Lets it do what it can at this moment.
    pub(crate) fn go_on(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let _ = self.work.as_mut().poll(&mut context);
    }
}

/// How long the process has been up.
pub(crate) fn uptime(world: &crate::world::World) -> Duration {
    let ahead = match world.plan.mutant {
        Some(Mutant::GapUnnoticed) => PHANTOM_UPTIME,
        _ => 0,
    };
    Duration::from_millis((world.now - world.started + ahead).unsigned_abs())
}

struct WorldClock(Shared);

impl Clock for WorldClock {
    fn local(&self) -> Timestamp {
        timestamp(self.0.lock().local())
    }

    fn uptime(&self) -> Duration {
        uptime(&self.0.lock())
    }
}

type Collecting = Collector<WorldApi, StoredAccount, WorldClock>;

struct Work {
    world: Shared,
    api: Arc<WorldApi>,
    types_due: bool,
    /// In a row.
    failures: u32,
    deep_due: Ms,
}

impl Work {
    fn now(&self) -> Ms {
        self.world.lock().now
    }

    async fn run(
        mut self,
        stored: Option<Account>,
        metrics: Arc<SelfMetrics>,
        exposition: AccountExposition,
    ) {
        let account = match stored {
            Some(account) => account,
            None => self.first_start().await,
        };
        let storage = StoredAccount(self.world.clone());
        let clock = WorldClock(self.world.clone());
        let parts = (Arc::clone(&self.api), storage, clock);
        let mut collector = Collector::new(parts, account, metrics, exposition);
        loop {
            let begun = self.now();
            let outcome = self.poll(&mut collector).await;
            self.world.lock().note(|| format!("polled: {outcome:?}"));
            let wait = match &outcome {
                Ok(()) => self.after_success(self.now() - begun),
                Err(error) => self.after_failure(error),
            };
            self.world.step("after a poll").await;
            self.rest(&mut collector, self.now() + wait, outcome.is_ok())
                .await;
        }
    }

    async fn first_start(&mut self) -> Account {
        let date = loop {
            match self.ask_the_time().await {
                Ok(date) => break date,
                Err(error) => {
                    let wait = self.after_failure(&error.into());
                    self.world.sleep(wait).await;
                }
            }
        };
        let mut world = self.world.lock();
        let polls = &world.plan.polls;
        let (start, began) = polls.start.resolve(date, uptime(&world));
        let window = world.plan.window();
        let beginning = Beginning {
            start: shown(start),
            began: shown(began),
            at: world.started,
        };
        world.api.propose(beginning);
        Account::new(window, start, began, MAX_SERIES)
    }

    async fn ask_the_time(&self) -> Result<Timestamp, ApiError> {
        let now = timestamp(self.world.lock().local());
        let query = ListQuery {
            from: now,
            to: None,
            page: 1,
        };
        let answer = self.api.list(query).await?;
        Page::parse(&answer.value, Keep::Parsed).map_err(ApiError::body)?;
        Ok(answer.date.unwrap_or(now))
    }

    async fn poll(&mut self, collector: &mut Collecting) -> Result<(), PollError> {
        if self.types_due {
            self.ask_the_time().await?;
            self.types_due = false;
            let named = ["T0", "T1", "T9"].map(|name| EventType {
                name: name.into(),
                description: String::new(),
            });
            collector.name_types(named.into());
        }
        collector.poll(&mut Report::default()).await
    }

    async fn rest(&mut self, collector: &mut Collecting, until: Ms, may_ask: bool) {
        if may_ask {
            self.reconcile(collector, until).await;
        }
        while self.now() < until {
            let next = if collector.is_settled() {
                until
            } else {
                until.min(self.now() + GATE_INTERVAL)
            };
            self.world.sleep_until(next).await;
            if collector.commit_if_needed().await.is_err() {
                return self.world.sleep_until(until).await;
            }
            collector.observe_pending();
        }
    }

    async fn reconcile(&mut self, collector: &mut Collecting, until: Ms) {
        let Some((depth, interval)) = self.world.lock().plan.polls.deep else {
            return;
        };
        if self.now() >= self.deep_due {
            self.deep_due = self.now() + interval;
            collector.begin_deep_sweep(SignedDuration::from_millis(depth));
        }
        while collector.is_in_deep_sweep() {
            if collector.continue_deep_sweep().await.is_err() {
                return;
            }
            self.world.step("after a deep sweep").await;
            if self.now() >= until {
                return;
            }
        }
    }

    fn after_success(&mut self, took: Ms) -> Ms {
        self.failures = 0;
        let mut world = self.world.lock();
        let interval = world.plan.polls.interval;
        let jitter = world.chance.i64(-interval / 20..=interval / 20);
        (interval + jitter - took).max(0)
    }

    fn after_failure(&mut self, error: &PollError) -> Ms {
        self.failures += 1;
        let exponential = (SECOND << self.failures.min(6)).min(MINUTE);
        let PollError::Api(error) = error else {
            return exponential;
        };
        let asked = error.retry_after().map(|asked| asked.as_millis());
        match asked {
            _ if matches!(error, ApiError::Auth { .. }) => 5 * MINUTE,
            Some(asked) => Ms::try_from(asked).unwrap_or(exponential) + SECOND / 2,
            None => exponential,
        }
    }
}
