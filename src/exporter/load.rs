//! Loads accounts from the store, and makes tasks of them. Loading can fail and changes
//! nothing that runs; making tasks of what was loaded cannot fail.

use std::sync::Arc;

use audit_core::{account::Account, outbox::Outbox};

use super::{
    event_log::SharedEventLog,
    plan::{AccountPlan, Start, client, poller_settings, request_timeout},
    running_account::RunningAccount,
};
use crate::{
    api::{ApiClient, HttpClients, REASONS},
    exposition::{AccountExposition, Exposition},
    gate::SharedGate,
    metrics::AccountMetrics,
    poller::{
        Clock, Poller, PollerParts, SystemClock, WatchedClient,
        health::{AccountHealth, Health},
    },
    store::{AccountStorage, SharedStore, event_log::AccountLines},
};

/// The parts that all accounts share.
#[derive(Debug)]
pub(super) struct SharedParts {
    pub(super) store: SharedStore,
    pub(super) http_clients: HttpClients,
    pub(super) exposition: Arc<Exposition>,
    pub(super) gate: Arc<SharedGate>,
    pub(super) health: Arc<Health>,
    pub(super) clock: SystemClock,
    pub(super) event_log: Option<Arc<SharedEventLog>>,
}

/// An account as it was loaded, before it runs.
#[derive(Debug)]
pub(super) struct LoadedAccount {
    plan: AccountPlan,
    start: Start,
    metrics: Arc<AccountMetrics>,
    /// The health of the account that this one goes on with, if there is one.
    before: Option<Arc<AccountHealth>>,
    client: ApiClient,
    storage: AccountStorage,
    stored: Option<Account>,
    /// `None` if no event log is kept.
    lines: Option<AccountLines>,
}

/// The reason why an account could not be loaded.
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

impl LoadedAccount {
    /// Returns the name of the account.
    pub(super) fn name(&self) -> Option<Arc<str>> {
        self.plan.account.name.clone()
    }
}

impl SharedParts {
    /// Loads an account from the store. `before` is the health of the account that it goes on
    /// with, if there is one.
    pub(super) fn load(
        &self,
        plan: AccountPlan,
        start: Start,
        before: Option<Arc<AccountHealth>>,
    ) -> Result<LoadedAccount, StartError> {
        let name = plan.account.name.clone();
        let loaded = self.try_load(plan, start, before);
        loaded.map_err(|source| StartError { name, source })
    }

    fn try_load(
        &self,
        plan: AccountPlan,
        start: Start,
        before: Option<Arc<AccountHealth>>,
    ) -> anyhow::Result<LoadedAccount> {
        let name = plan.account.name.clone();
        let metrics = match &before {
            Some(before) => Arc::clone(before.metrics()),
            None => self.new_metrics(name.as_deref())?,
        };
        let storage = self.store.account(plan.api_key());
        let settings = poller_settings(&plan, start);
        let stored = storage.load(settings.window, settings.max_series)?;
        let event_log = self.event_log.as_ref();
        let lines = event_log.map(|log| log.load(plan.api_key())).transpose()?;
        Ok(LoadedAccount {
            client: client(&self.http_clients, &plan.account, &metrics)?,
            plan,
            start,
            metrics,
            before,
            storage,
            stored,
            lines,
        })
    }

    fn new_metrics(&self, name: Option<&str>) -> anyhow::Result<Arc<AccountMetrics>> {
        let mut metrics = AccountMetrics::new(REASONS, name)?;
        if self.event_log.is_some() {
            metrics = metrics.with_event_log()?;
        }
        Ok(Arc::new(metrics))
    }

    /// Prepares the tasks of an account. `kept` is what scrapes show of the account that
    /// it goes on with, if there is one.
    pub(super) fn prepare(
        &self,
        loaded: LoadedAccount,
        kept: Option<AccountExposition>,
    ) -> RunningAccount {
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
        let health = AccountHealth::new(name, Arc::clone(&metrics), self.clock.uptime());
        if let Some(before) = before {
            health.go_on_from(&before);
        }
        let health = Arc::new(health);
        let timeout = request_timeout(&plan.account);
        let api = WatchedClient::new(client, Arc::clone(&health), self.clock, timeout);
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
        let poller = Poller::new(poller_settings(&plan, start), parts, stored);
        RunningAccount::new(plan, start.taken_up, health, api, poller)
    }
}
