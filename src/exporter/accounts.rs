//! The accounts at work: each with a poller of its own, taken up, changed and given
//! up without a word to the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context;
use audit_core::outbox::{Content, Outbox, Written};
use jiff::Timestamp;
use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};
use tracing::{Instrument, Span};

use super::plan::{Plan, client, plans, poller_settings, request_timeout, spread};
use crate::{
    api::{Connections, REASONS},
    config::{EventLogSettings, Settings},
    exposition::{AccountExposition, Exposition},
    gate::SharedGate,
    metrics::SelfMetrics,
    poller::{
        Clock, Poller, PollerParts, SystemClock, WatchedClient,
        health::{AccountHealth, Failing, Health, PollState},
    },
    store::{
        event_log::{Destination, EventLog, LogFile},
        shared::{SharedStore, StoredAccount},
    },
};

/// How long an account rests whose poller has ended by itself.
const AFTER_DEFECT: Duration = Duration::from_secs(10);

/// What all accounts share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: SharedStore,
    pub(super) connections: Connections,
    pub(super) exposition: Arc<Exposition>,
    pub(super) gate: Arc<SharedGate>,
    pub(super) health: Arc<Health>,
    pub(super) clock: SystemClock,
    pub(super) event_log: Option<SharedLog>,
}

/// Where events of all accounts are logged.
#[derive(Debug)]
pub(super) struct SharedLog {
    content: Content,
    destination: Arc<Mutex<Destination>>,
}

/// The accounts at work.
#[derive(Debug)]
pub(super) struct Accounts {
    shared: Shared,
    by_name: BTreeMap<Option<Arc<str>>, Account>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Account {
    plan: Plan,
    health: Arc<AccountHealth>,
    /// Taken up, and not at work yet.
    ready: Option<Ready>,
    poller: Option<AbortHandle>,
    event_log: Option<AbortHandle>,
}

/// What scrapes see of an account while its poller changes.
#[derive(Debug)]
struct Shown {
    metrics: Arc<SelfMetrics>,
    place: AccountExposition,
}

#[derive(Debug)]
struct Ready {
    poller: Poller<WatchedClient, StoredAccount, SystemClock>,
    event_log: Option<EventLog>,
}

/// What a change of the accounts came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) added: usize,
    pub(super) changed: usize,
    pub(super) removed: usize,
}

impl SharedLog {
    pub(super) fn new(settings: &EventLogSettings) -> Self {
        let destination = match &settings.path {
            Some(path) => Destination::File(LogFile::new(path.clone())),
            None => Destination::Standard,
        };
        Self {
            content: if settings.personal_data {
                Content::Everything
            } else {
                Content::Impersonal
            },
            destination: Arc::new(Mutex::new(destination)),
        }
    }

    /// The event log of an account, and where its lines begin.
    fn of(
        &self,
        name: Option<Arc<str>>,
        storage: &StoredAccount,
    ) -> anyhow::Result<(Outbox, EventLog)> {
        let written = Written::default();
        let outbox = Outbox::new(self.content, name, storage.last_line()?, written.clone());
        let destination = Arc::clone(&self.destination);
        Ok((outbox, EventLog::new(storage.lines(), destination, written)))
    }
}

impl Accounts {
    /// Takes up the accounts as they were stored; what they showed is shown at once.
    pub(super) fn new(shared: Shared, settings: &Settings) -> anyhow::Result<Self> {
        let mut accounts = Self {
            shared,
            by_name: BTreeMap::new(),
            tasks: JoinSet::new(),
        };
        for (place, plan) in plans(settings).into_iter().enumerate() {
            let first_poll_in = spread(place, settings);
            accounts.take_up(plan, None, first_poll_in)?;
        }
        accounts.enroll();
        Ok(accounts)
    }

    /// Polls every account that does not poll yet.
    pub(super) fn start(&mut self, counting: &Handle) {
        for account in self.by_name.values_mut() {
            account.start(&mut self.tasks, counting);
        }
    }

    /// Goes over to these accounts. Those that stay as they are do not notice; one
    /// that changes goes on from where it is stored.
    ///
    /// # Errors
    /// With what could not be taken up; everything else was.
    pub(super) async fn change(
        &mut self,
        settings: &Settings,
        counting: &Handle,
    ) -> anyhow::Result<Difference> {
        let mut difference = Difference::default();
        let plans = plans(settings);
        let names: BTreeSet<_> = plans.iter().map(|plan| plan.account.name.clone()).collect();
        let mut stopped = Vec::new();
        self.by_name.retain(|name, account| {
            let stays = names.contains(name);
            if !stays {
                difference.removed += 1;
                stopped.extend(account.stop());
            }
            stays
        });
        let mut new = Vec::new();
        for plan in plans {
            let mut shown = None;
            match self.by_name.get(&plan.account.name) {
                Some(account) if account.plan == plan => continue,
                Some(account) => {
                    difference.changed += 1;
                    shown = account.shown_for(&plan, &self.shared.exposition);
                    stopped.extend(account.stop());
                }
                None => difference.added += 1,
            }
            new.push((plan, shown));
        }
        self.wait_for(&stopped).await;
        let mut failure = None;
        for (place, (plan, shown)) in new.into_iter().enumerate() {
            let taken_up = self.take_up(plan, shown, spread(place, settings));
            failure = failure.or(taken_up.err());
        }
        self.enroll();
        self.start(counting);
        failure.map_or(Ok(difference), Err)
    }

    /// Waits until these have ended, and nothing of theirs comes to the store.
    async fn wait_for(&mut self, stopped: &[AbortHandle]) {
        while stopped.iter().any(|task| !task.is_finished()) {
            self.tasks.join_next().await;
        }
        self.shared.store.flush().await;
    }

    /// Waits until a poller has ended by itself, which only a defect can make it do;
    /// the account then goes on from where it is stored, after a rest. May be dropped
    /// at any await.
    ///
    /// # Errors
    /// When it cannot go on yet, after that rest.
    pub(super) async fn tend(&mut self, counting: &Handle) -> anyhow::Result<()> {
        let name = loop {
            let ended = self.by_name.iter().find(|(_, account)| account.has_ended());
            if let Some((name, _)) = ended {
                break name.clone();
            }
            if self.tasks.join_next().await.is_none() {
                return std::future::pending().await;
            }
        };
        tracing::error!(account = name.as_deref(), again_in = ?AFTER_DEFECT, "the poller ended, which is a defect: please report it with the log");
        self.shared.store.flush().await;
        let Some(account) = self.by_name.get(&name) else {
            return Ok(());
        };
        let plan = account.plan.clone();
        let shown = account.shown_for(&plan, &self.shared.exposition);
        if let Err(error) = self.take_up(plan, shown, AFTER_DEFECT) {
            tokio::time::sleep(AFTER_DEFECT).await;
            return Err(error);
        }
        if let Some(account) = self.by_name.get(&name) {
            account.tell_of_defect();
        }
        self.enroll();
        self.start(counting);
        Ok(())
    }

    fn take_up(
        &mut self,
        plan: Plan,
        shown: Option<Shown>,
        first_poll_in: Duration,
    ) -> anyhow::Result<()> {
        let name = plan.account.name.clone();
        let account = self
            .shared
            .account(plan, shown, first_poll_in)
            .with_context(|| match &name {
                Some(name) => format!("account {name:?}"),
                None => "the account".to_owned(),
            })?;
        self.by_name.insert(name, account);
        Ok(())
    }

    fn enroll(&self) {
        let accounts = self.by_name.values();
        let accounts = accounts.map(|account| Arc::clone(&account.health));
        self.shared.health.replace(accounts.collect());
    }
}

impl Shared {
    fn account(
        &self,
        plan: Plan,
        shown: Option<Shown>,
        first_poll_in: Duration,
    ) -> anyhow::Result<Account> {
        let name = plan.account.name.clone();
        let Shown { metrics, place } = match shown {
            Some(shown) => shown,
            None => Shown::nothing(name.clone(), &self.exposition)?,
        };
        let health = AccountHealth::new(name.clone(), Arc::clone(&metrics), self.clock.uptime());
        let health = Arc::new(health);
        let storage = self.store.account(&plan.account.key);
        let settings = poller_settings(&plan, first_poll_in);
        let stored = storage.load(settings.window, settings.max_series)?;
        let (outbox, event_log) = match &self.event_log {
            Some(log) => {
                let (outbox, event_log) = log.of(name.clone(), &storage)?;
                (outbox, Some(event_log))
            }
            None => (Outbox::default(), None),
        };
        let client = client(&self.connections, &plan.account, &metrics)?;
        let api = WatchedClient::new(
            client,
            Arc::clone(&health),
            self.clock,
            request_timeout(&plan.account),
        );
        let parts = PollerParts {
            api: Arc::new(api),
            storage,
            clock: self.clock,
            metrics,
            exposition: place,
            gate: Arc::clone(&self.gate),
            health: Arc::clone(&health),
            outbox,
            filter: plan.account.filter.clone(),
            rng: fastrand::Rng::new(),
        };
        let poller = Poller::new(settings, parts, stored);
        Ok(Account {
            plan,
            health,
            ready: Some(Ready { poller, event_log }),
            poller: None,
            event_log: None,
        })
    }
}

impl Shown {
    fn nothing(name: Option<Arc<str>>, exposition: &Arc<Exposition>) -> anyhow::Result<Self> {
        let metrics = Arc::new(SelfMetrics::new(REASONS, name.as_deref())?);
        let place = exposition.add(name, Arc::clone(&metrics));
        Ok(Self { metrics, place })
    }
}

impl Account {
    /// What it shows, to be shown until another poller goes on with it; nothing where
    /// that counts for another key.
    fn shown_for(&self, plan: &Plan, exposition: &Arc<Exposition>) -> Option<Shown> {
        let metrics = Arc::clone(self.health.metrics());
        (plan.account.key == self.plan.account.key).then(|| Shown {
            place: exposition.add(self.health.name().cloned(), Arc::clone(&metrics)),
            metrics,
        })
    }

    fn start(&mut self, tasks: &mut JoinSet<()>, counting: &Handle) {
        // Of the highest level, so that it is there at every level of the log.
        let span = self.health.name().map_or_else(Span::none, |name| {
            tracing::error_span!("account", account = &**name)
        });
        let Some(Ready { poller, event_log }) = self.ready.take() else {
            return;
        };
        let poller = poller.run().instrument(span.clone());
        let log = event_log.map(|log| tasks.spawn_on(log.run().instrument(span), counting));
        self.poller = Some(tasks.spawn_on(poller, counting));
        self.event_log = log;
    }

    /// Stops its tasks; they have ended some time after that. Dropping a poller at any
    /// await loses nothing that was shown.
    fn stop(&self) -> Vec<AbortHandle> {
        let tasks = self.poller.iter().chain(&self.event_log).cloned();
        let tasks: Vec<_> = tasks.collect();
        tasks.iter().for_each(AbortHandle::abort);
        tasks
    }

    fn has_ended(&self) -> bool {
        self.poller.as_ref().is_some_and(AbortHandle::is_finished)
    }

    fn tell_of_defect(&self) {
        self.health.metrics().up.set(0.0);
        self.health.record(PollState {
            last_success: None,
            failing: Some(Failing {
                since: Timestamp::now(),
                error: "the poller ended, which is a defect: please report it with the log".into(),
            }),
        });
    }
}
