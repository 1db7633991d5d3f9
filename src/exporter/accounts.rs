//! The accounts that are counted. Each has a poller of its own, and is added, changed
//! and removed without an effect on the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use audit_core::outbox::Outbox;
use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};

use super::{
    event_log::SharedEventLog,
    plan::{AccountPlan, Start, client, plans, poller_settings, request_timeout, spread},
    running_account::{KeptExposition, PreparedTasks, RunningAccount},
};
use crate::{
    api::HttpClients,
    config::Settings,
    exposition::Exposition,
    gate::{EndOfPublishing, SharedGate},
    poller::{
        Clock, Poller, PollerParts, SystemClock, WatchedClient,
        health::{AccountHealth, Health},
    },
    store::SharedStore,
};

/// The time until the next poll of an account whose poller has ended by itself.
const AFTER_DEFECT: Duration = Duration::from_secs(10);

/// The parts that all accounts share.
#[derive(Debug)]
pub(super) struct SharedParts {
    pub(super) store: SharedStore,
    pub(super) http_clients: HttpClients,
    pub(super) exposition: Arc<Exposition>,
    pub(super) gate: Arc<SharedGate>,
    pub(super) health: Arc<Health>,
    pub(super) clock: SystemClock,
    pub(super) event_log: Option<SharedEventLog>,
}

/// The accounts that are counted.
#[derive(Debug)]
pub(super) struct Accounts {
    shared: SharedParts,
    by_name: BTreeMap<Option<Arc<str>>, RunningAccount>,
    tasks: JoinSet<()>,
}

/// Accounts whose pollers have stopped. What they show stays shown, and their event logs go
/// on, until this value is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "it is kept until the process ends")]
pub(super) struct StoppedAccounts {
    accounts: Accounts,
    shown: Vec<KeptExposition>,
    end: EndOfPublishing,
}

/// The numbers of accounts that a reload has added, changed and removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) added: usize,
    pub(super) changed: usize,
    pub(super) removed: usize,
}

/// The reason why an account could not be started.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.account())]
pub(super) struct StartError {
    pub(super) name: Option<Arc<str>>,
    pub(super) source: anyhow::Error,
}

impl StartError {
    fn account(&self) -> String {
        match &self.name {
            Some(name) => format!("account {name:?}"),
            None => "the account".to_owned(),
        }
    }
}

impl Accounts {
    /// Loads the accounts from the store. Scrapes show at once what they showed before.
    pub(super) fn new(shared: SharedParts, settings: &Settings) -> Result<Self, StartError> {
        let mut accounts = Self {
            shared,
            by_name: BTreeMap::new(),
            tasks: JoinSet::new(),
        };
        for (place, plan) in plans(settings).into_iter().enumerate() {
            let first_poll_in = spread(place, settings);
            let start = Start {
                taken_up: Duration::ZERO,
                first_poll_in,
            };
            accounts.prepare(plan, None, start)?;
        }
        accounts.enroll();
        Ok(accounts)
    }

    /// Runs the tasks of all accounts whose tasks are prepared.
    pub(super) fn start(&mut self, counting: &Handle) {
        for account in self.by_name.values_mut() {
            account.start(&mut self.tasks, counting);
        }
    }

    /// Adds, changes and removes accounts, so that they are those of `settings`. Accounts
    /// that stay the same are not interrupted, except that a wait after a failure ends; an
    /// account that changes goes on from its stored state.
    ///
    /// # Errors
    ///
    /// An error for each account that could not be started. All others are started.
    pub(super) async fn change(
        &mut self,
        settings: &Settings,
        counting: &Handle,
    ) -> Result<Difference, Vec<StartError>> {
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
        let now = self.shared.clock.uptime();
        for plan in plans {
            let mut kept = None;
            let mut taken_up = now;
            match self.by_name.get_mut(&plan.account.name) {
                Some(account) if account.plan == plan => {
                    account.go_on(plan);
                    continue;
                }
                Some(account) => {
                    difference.changed += 1;
                    if account.plan.api_key() == plan.api_key() {
                        taken_up = account.taken_up;
                    }
                    kept = account.keep_exposition(&plan, &self.shared.exposition);
                    stopped.extend(account.stop());
                }
                None => difference.added += 1,
            }
            new.push((plan, kept, taken_up));
        }
        self.wait_for(&stopped).await;
        let mut errors = Vec::new();
        for (place, (plan, kept, taken_up)) in new.into_iter().enumerate() {
            let start = Start {
                taken_up,
                first_poll_in: spread(place, settings),
            };
            let prepared = self.prepare(plan, kept, start);
            errors.extend(prepared.err());
        }
        self.enroll();
        self.start(counting);
        if errors.is_empty() {
            Ok(difference)
        } else {
            Err(errors)
        }
    }

    /// Stops all pollers, so that no more is counted and shown. Commits under way are
    /// finished.
    pub(super) async fn stop_polling(mut self) -> StoppedAccounts {
        let end = self.shared.gate.end_publishing().await;
        let accounts = self.by_name.values();
        let shown = accounts
            .filter_map(|account| account.keep_exposition(&account.plan, &self.shared.exposition));
        let shown = shown.collect();
        let accounts = self.by_name.values();
        let stopped: Vec<_> = accounts.filter_map(RunningAccount::stop_polling).collect();
        self.wait_for(&stopped).await;
        StoppedAccounts {
            accounts: self,
            shown,
            end,
        }
    }

    /// Waits until these tasks have ended and their last commits are written.
    async fn wait_for(&mut self, stopped: &[AbortHandle]) {
        while stopped.iter().any(|task| !task.is_finished()) {
            self.tasks.join_next().await;
        }
        self.shared.store.flush().await;
    }

    /// Waits until a poller ends by itself, which only a defect can cause, and then starts
    /// the account again from its stored state. The future can be dropped at any await.
    pub(super) async fn restart_ended(&mut self, counting: &Handle) {
        let name = loop {
            let ended = self.by_name.iter().find(|(_, account)| account.has_ended());
            if let Some((name, _)) = ended {
                break name.clone();
            }
            if self.tasks.join_next().await.is_none() {
                return std::future::pending().await;
            }
        };
        tracing::error!(
            account = name.as_deref(),
            again_in_seconds = AFTER_DEFECT.as_secs(),
            "the poller ended, which is a defect: please report it with the log"
        );
        self.shared.store.flush().await;
        let Some(account) = self.by_name.get(&name) else {
            return;
        };
        let plan = account.plan.clone();
        let kept = account.keep_exposition(&plan, &self.shared.exposition);
        let start = Start {
            taken_up: account.taken_up,
            first_poll_in: AFTER_DEFECT,
        };
        if let Err(error) = self.prepare(plan, kept, start) {
            let StartError { name, source } = error;
            let error = format!("{source:#}");
            tracing::error!(
                account = name.as_deref(),
                error,
                again_in_seconds = AFTER_DEFECT.as_secs(),
                "the account could not be restarted; the exporter tries again"
            );
            return tokio::time::sleep(AFTER_DEFECT).await;
        }
        if let Some(account) = self.by_name.get(&name) {
            account.show_defect();
        }
        self.enroll();
        self.start(counting);
    }

    /// Prepares the tasks of an account; [`Accounts::start`] runs them.
    fn prepare(
        &mut self,
        plan: AccountPlan,
        kept: Option<KeptExposition>,
        start: Start,
    ) -> Result<(), StartError> {
        let name = plan.account.name.clone();
        match self.shared.account(plan, kept, start) {
            Ok(account) => {
                self.by_name.insert(name, account);
                Ok(())
            }
            Err(source) => Err(StartError { name, source }),
        }
    }

    fn enroll(&self) {
        let accounts = self.by_name.values();
        let accounts = accounts.map(|account| Arc::clone(&account.health));
        self.shared.health.replace(accounts.collect());
    }
}

impl SharedParts {
    /// Loads an account from the store and prepares its tasks.
    fn account(
        &self,
        plan: AccountPlan,
        kept: Option<KeptExposition>,
        start: Start,
    ) -> anyhow::Result<RunningAccount> {
        let name = plan.account.name.clone();
        let KeptExposition {
            metrics,
            exposition,
        } = match kept {
            Some(kept) => kept,
            None => KeptExposition::new(name.clone(), &self.exposition, self.event_log.is_some())?,
        };
        let health = AccountHealth::new(name.clone(), Arc::clone(&metrics), self.clock.uptime());
        let health = Arc::new(health);
        let storage = self.store.account(plan.api_key());
        let settings = poller_settings(&plan, start);
        let stored = storage.load(settings.window, settings.max_series)?;
        let (outbox, event_log) = match self.event_log.as_ref().zip(metrics.event_log.as_ref()) {
            Some((log, metrics)) => {
                let (outbox, event_log) = log.account(name, &storage, metrics)?;
                (outbox, Some(event_log))
            }
            None => (Outbox::default(), None),
        };
        let api = WatchedClient::new(
            client(&self.http_clients, &plan.account, &metrics)?,
            Arc::clone(&health),
            self.clock,
            request_timeout(&plan.account),
        );
        let api = Arc::new(api);
        let parts = PollerParts {
            api: Arc::clone(&api),
            storage,
            clock: self.clock,
            metrics,
            exposition,
            gate: Arc::clone(&self.gate),
            health: Arc::clone(&health),
            outbox,
            filter: plan.account.filter.clone(),
            rng: fastrand::Rng::new(),
        };
        let poller = Poller::new(settings, parts, stored);
        let prepared = PreparedTasks { poller, event_log };
        Ok(RunningAccount::new(
            plan,
            start.taken_up,
            health,
            api,
            prepared,
        ))
    }
}
