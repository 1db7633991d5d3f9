//! Loads accounts from the store, and makes tasks of them. Loading can fail and changes
//! nothing that runs; making tasks of what was loaded cannot fail.

use std::sync::Arc;

use audit_core::{account::Account, outbox::Outbox};

use super::{
    event_log::SharedEventLog,
    plan::{AccountPlan, Start, client, poller_settings, request_timeout},
    running_account::{PreparedTasks, RunningAccount},
};
use crate::{
    api::{ApiClient, HttpClients, REASONS},
    exposition::{AccountExposition, Exposition},
    gate::SharedGate,
    metrics::{AccountMetrics, LineNumbers},
    poller::{
        Clock, Poller, PollerParts, SystemClock, WatchedClient,
        health::{AccountHealth, Health},
    },
    store::{AccountStorage, SharedStore, event_log::EventLog},
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
    pub(super) event_log: Option<SharedEventLog>,
}

/// An account as it was loaded, before it runs.
#[derive(Debug)]
pub(super) struct LoadedAccount {
    plan: AccountPlan,
    start: Start,
    metrics: Arc<AccountMetrics>,
    client: ApiClient,
    storage: AccountStorage,
    stored: Option<Account>,
    outbox: Outbox,
    event_log: Option<(EventLog, LineNumbers)>,
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
    /// Loads an account from the store. `metrics` are those of the account that it goes on
    /// with, if there is one.
    pub(super) fn load(
        &self,
        plan: AccountPlan,
        start: Start,
        metrics: Option<Arc<AccountMetrics>>,
    ) -> Result<LoadedAccount, StartError> {
        let name = plan.account.name.clone();
        let loaded = self.try_load(plan, start, metrics);
        loaded.map_err(|source| StartError { name, source })
    }

    fn try_load(
        &self,
        plan: AccountPlan,
        start: Start,
        metrics: Option<Arc<AccountMetrics>>,
    ) -> anyhow::Result<LoadedAccount> {
        let name = plan.account.name.clone();
        let metrics = match metrics {
            Some(metrics) => metrics,
            None => self.new_metrics(name.as_deref())?,
        };
        let storage = self.store.account(plan.api_key());
        let settings = poller_settings(&plan, start);
        let stored = storage.load(settings.window, settings.max_series)?;
        let (outbox, event_log) = match self.event_log.as_ref().zip(metrics.event_log.as_ref()) {
            Some((log, metrics)) => {
                let (outbox, event_log, numbers) = log.account(name, &storage, metrics)?;
                (outbox, Some((event_log, numbers)))
            }
            None => (Outbox::default(), None),
        };
        Ok(LoadedAccount {
            client: client(&self.http_clients, &plan.account, &metrics)?,
            plan,
            start,
            metrics,
            storage,
            stored,
            outbox,
            event_log,
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
            client,
            storage,
            stored,
            outbox,
            event_log,
        } = loaded;
        let name = plan.account.name.clone();
        let exposition =
            kept.unwrap_or_else(|| self.exposition.add(name.clone(), Arc::clone(&metrics)));
        let event_log = event_log.map(|(event_log, numbers)| {
            if let Some(metrics) = &metrics.event_log {
                metrics.follow(numbers);
            }
            event_log
        });
        let health = AccountHealth::new(name, Arc::clone(&metrics), self.clock.uptime());
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
        let prepared = PreparedTasks { poller, event_log };
        RunningAccount::new(plan, start.taken_up, health, api, prepared)
    }
}
