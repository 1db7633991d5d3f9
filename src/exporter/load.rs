//! Loads accounts from the store, and makes tasks of them. Loading can fail and changes
//! nothing that runs; making tasks of what was loaded cannot fail.

use std::sync::Arc;

use anyhow::Context;
use audit_core::{account::Account, gate::Gate, outbox::Outbox};
use jiff::Timestamp;

use super::{
    event_log::SharedEventLog,
    outside::Outside,
    plan::{AccountPlan, Start, poller_settings},
    running_account::RunningAccount,
};
use crate::{
    api::REASONS,
    config::Settings,
    exposition::{AccountExposition, Exposition, ExpositionSettings},
    gate::SharedGate,
    metrics::{AccountMetrics, ProcessMetrics},
    poller::{
        Clock, Poller, PollerParts,
        health::{AccountHealth, Health},
    },
    store::{AccountStorage, SharedStore, event_log::AccountLines},
};

/// The parts that all accounts share.
#[derive(Debug)]
pub struct SharedParts<O> {
    pub(super) store: SharedStore,
    pub(super) exposition: Arc<Exposition>,
    pub(super) gate: Arc<SharedGate>,
    pub(super) health: Arc<Health>,
    pub(super) outside: O,
    pub(super) event_log: Option<Arc<SharedEventLog>>,
}

/// An account as it was loaded, before it runs.
#[derive(Debug)]
pub(super) struct LoadedAccount<O: Outside> {
    plan: AccountPlan,
    start: Start,
    metrics: Arc<AccountMetrics>,
    /// The health of the account that this one goes on with, if there is one.
    before: Option<Arc<AccountHealth>>,
    client: O::Client,
    storage: AccountStorage,
    stored: Option<Account>,
    /// `None` if no event log is kept.
    lines: Option<AccountLines>,
}

/// The reason why an account could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.account())]
pub struct StartError {
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

impl<O: Outside> LoadedAccount<O> {
    /// Returns the name of the account.
    pub(super) fn name(&self) -> Option<Arc<str>> {
        self.plan.account.name.clone()
    }
}

impl<O: Outside> SharedParts<O> {
    /// Opens the store and the event log. `now` reads the wall clock; `outside` begins
    /// once the store is open.
    ///
    /// # Errors
    ///
    /// If the state cannot be used. The message says what to do.
    pub fn open(
        settings: &Settings,
        process: Arc<ProcessMetrics>,
        now: impl Fn() -> Timestamp,
        outside: impl FnOnce() -> O,
    ) -> anyhow::Result<Self> {
        let store = SharedStore::open(&settings.storage_path)?;
        let event_log = settings.event_log.as_ref();
        let event_log = event_log.map(|settings| SharedEventLog::start(settings, &store));
        let event_log = event_log.transpose().context("no thread can be started")?;
        let gate = Gate::new(settings.scrape_interval, &store.load_gate(now())?);
        let gate = Arc::new(SharedGate::new(gate));
        let shown = ExpositionSettings {
            created: settings.created_timestamps.then(now),
        };
        let exposition = Exposition::new(process, Arc::clone(&gate), shown);
        Ok(Self {
            store,
            exposition: Arc::new(exposition),
            gate,
            health: Arc::new(Health::default()),
            outside: outside(),
            event_log: event_log.map(Arc::new),
        })
    }

    /// Returns the store.
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    /// Returns what scrapes are answered from.
    pub fn exposition(&self) -> &Arc<Exposition> {
        &self.exposition
    }

    /// Returns the gate.
    pub fn gate(&self) -> &Arc<SharedGate> {
        &self.gate
    }

    /// Loads an account from the store. `before` is the health of the account that it goes on
    /// with, if there is one.
    pub(super) fn load(
        &self,
        plan: AccountPlan,
        start: Start,
        before: Option<Arc<AccountHealth>>,
    ) -> Result<LoadedAccount<O>, StartError> {
        let name = plan.account.name.clone();
        let loaded = self.try_load(plan, start, before);
        loaded.map_err(|source| StartError { name, source })
    }

    fn try_load(
        &self,
        plan: AccountPlan,
        start: Start,
        before: Option<Arc<AccountHealth>>,
    ) -> anyhow::Result<LoadedAccount<O>> {
        let metrics = match &before {
            Some(before) => Arc::clone(before.metrics()),
            None => self.new_metrics(),
        };
        let storage = self.store.account(plan.api_key());
        let settings = poller_settings(&plan, start);
        let stored = storage.load(settings.window, settings.max_series)?;
        let event_log = self.event_log.as_ref();
        let lines = event_log.map(|log| log.load(plan.api_key())).transpose()?;
        Ok(LoadedAccount {
            client: self.outside.client(&plan.account, &metrics)?,
            plan,
            start,
            metrics,
            before,
            storage,
            stored,
            lines,
        })
    }

    fn new_metrics(&self) -> Arc<AccountMetrics> {
        let mut metrics = AccountMetrics::new(REASONS, self.exposition.process());
        if self.event_log.is_some() {
            metrics = metrics.with_event_log();
        }
        Arc::new(metrics)
    }

    /// Prepares the tasks of an account. `kept` is what scrapes show of the account that
    /// it goes on with, if there is one.
    pub(super) fn prepare(
        &self,
        loaded: LoadedAccount<O>,
        kept: Option<AccountExposition>,
    ) -> RunningAccount<O> {
        let LoadedAccount {
            plan,
            start,
            metrics,
            before,
            client,
            mut storage,
            stored,
            lines,
        } = loaded;
        let name = plan.account.name.clone();
        let exposition =
            kept.unwrap_or_else(|| self.exposition.add(name.clone(), Arc::clone(&metrics)));
        let mut outbox = Outbox::default();
        if let Some((log, lines)) = self.event_log.as_ref().zip(lines) {
            (outbox, storage) = log.account(lines, name.clone(), storage, &metrics);
        }
        let clock = self.outside.clock();
        let health = AccountHealth::new(name, Arc::clone(&metrics), clock.uptime());
        if let Some(before) = before {
            health.go_on_from(&before);
        }
        let health = Arc::new(health);
        let api = Arc::new(self.outside.api(client, &plan.account, &health));
        let parts = PollerParts {
            api: Arc::clone(&api),
            storage,
            clock,
            metrics,
            exposition: exposition.clone(),
            gate: Arc::clone(&self.gate),
            health: Arc::clone(&health),
            outbox,
            filter: plan.account.filter.clone(),
            rng: fastrand::Rng::new(),
        };
        let poller = Poller::new(poller_settings(&plan, start), parts, stored);
        RunningAccount::new(plan, start.taken_up, (health, exposition), api, poller)
    }
}
