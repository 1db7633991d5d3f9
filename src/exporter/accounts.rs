//! The accounts that are counted. Each has a poller of its own, and is added, changed
//! and removed without an effect on the others.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};

use super::{
    counting_threads,
    load::{LoadedAccount, SharedParts, StartError},
    outside::Outside,
    pause::Pause,
    plan::{AccountPlan, Start, plans, spread},
    running_account::RunningAccount,
};
use crate::{
    config::Settings,
    exposition::AccountExposition,
    gate::EndOfPublishing,
    poller::{Clock, health::AccountHealth},
};

/// The time until the next poll of an account whose poller has ended by itself.
const AFTER_DEFECT: Duration = Duration::from_secs(10);

/// The accounts that are counted.
#[derive(Debug)]
pub struct Accounts<O: Outside> {
    shared: SharedParts<O>,
    /// Boxed, since a map leaves half of its places empty.
    by_name: BTreeMap<Option<Arc<str>>, Box<RunningAccount<O>>>,
    tasks: JoinSet<()>,
}

/// Accounts whose pollers have stopped. What they show stays shown until this value is
/// dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "it is kept until the process ends")]
pub struct StoppedAccounts<O: Outside> {
    accounts: Accounts<O>,
    end: EndOfPublishing,
}

/// The numbers of accounts that a reload has added, changed and removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    /// The number of accounts that are new.
    pub added: usize,
    /// The number of accounts that go on with other settings.
    pub changed: usize,
    /// The number of accounts that are no longer counted.
    pub removed: usize,
}

/// The effect that new settings have on the accounts.
#[derive(Debug, Default)]
struct Change {
    difference: Difference,
    /// The new plans of the accounts that stay as they are.
    unchanged: Vec<AccountPlan>,
    /// The accounts to be loaded, each with the health of the account that it goes on with.
    to_load: Vec<(AccountPlan, Start, Option<Arc<AccountHealth>>)>,
    /// The names of the accounts to be stopped.
    to_stop: BTreeSet<Option<Arc<str>>>,
}

impl<O: Outside> Accounts<O> {
    /// Loads the accounts from the store. Scrapes show at once what they showed before.
    ///
    /// # Errors
    ///
    /// The error of the first account that cannot be loaded.
    pub fn new(shared: SharedParts<O>, settings: &Settings) -> Result<Self, StartError> {
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
            let loaded = accounts.shared.load(plan, start, None)?;
            accounts.prepare(loaded, None);
        }
        accounts.enroll();
        Ok(accounts)
    }

    /// Runs the tasks of all accounts whose tasks are prepared.
    pub fn start(&mut self, counting: &Handle) {
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
    /// An error for each account that could not be loaded. Nothing has changed then.
    pub async fn change(
        &mut self,
        settings: &Settings,
        counting: &Handle,
    ) -> Result<Difference, Vec<StartError>> {
        let Change {
            difference,
            unchanged,
            to_load,
            to_stop,
        } = self.compare(settings);
        // What is loaded must not change until it runs. The pauses end with this function.
        let stopping = to_stop.iter().filter_map(|name| self.by_name.get(name));
        let _pauses: Vec<Pause> = stopping.map(|account| account.pause()).collect();
        self.shared.store.flush().await;
        let loaded = counting_threads::may_block(|| self.load(to_load))?;
        for plan in unchanged {
            if let Some(account) = self.by_name.get_mut(&plan.account.name) {
                account.go_on(plan);
            }
        }
        let mut kept: BTreeMap<_, _> = loaded
            .iter()
            .filter(|(_, keeps)| *keeps)
            .filter_map(|(account, _)| self.by_name.get_key_value(&account.name()))
            .map(|(name, account)| (name.clone(), account.exposition.clone()))
            .collect();
        self.stop(&to_stop).await;
        self.keep_event_log(settings);
        for (account, _) in loaded {
            let kept = kept.remove(&account.name());
            self.prepare(account, kept);
        }
        self.enroll();
        self.start(counting);
        Ok(difference)
    }

    /// Compares the accounts with those of `settings`.
    fn compare(&self, settings: &Settings) -> Change {
        let mut change = Change::default();
        let now = self.shared.outside.clock().uptime();
        let known = self.by_name.values();
        let taken_up: HashMap<_, _> = known
            .map(|account| (account.plan.api_key(), account.taken_up))
            .collect();
        let plans = plans(settings);
        let names: BTreeSet<_> = plans.iter().map(|plan| &plan.account.name).collect();
        let gone = self.by_name.keys().filter(|name| !names.contains(name));
        change.to_stop = gone.cloned().collect();
        change.difference.removed = change.to_stop.len();
        for plan in plans {
            let mut before = None;
            match self.by_name.get(&plan.account.name) {
                Some(account) if account.plan == plan => {
                    change.unchanged.push(plan);
                    continue;
                }
                Some(account) => {
                    change.difference.changed += 1;
                    change.to_stop.insert(plan.account.name.clone());
                    // Nothing of another key may be shown.
                    let is_kept = account.plan.api_key() == plan.api_key();
                    before = is_kept.then(|| Arc::clone(&account.health));
                }
                None => change.difference.added += 1,
            }
            let start = Start {
                taken_up: taken_up.get(plan.api_key()).copied().unwrap_or(now),
                first_poll_in: spread(change.to_load.len(), settings),
            };
            change.to_load.push((plan, start, before));
        }
        change
    }

    /// Loads accounts. The value of each is `true` if it goes on with an account.
    fn load(
        &self,
        accounts: Vec<(AccountPlan, Start, Option<Arc<AccountHealth>>)>,
    ) -> Result<Vec<(LoadedAccount<O>, bool)>, Vec<StartError>> {
        let mut loaded = Vec::new();
        let mut errors = Vec::new();
        for (plan, start, before) in accounts {
            let keeps = before.is_some();
            match self.shared.load(plan, start, before) {
                Ok(account) => loaded.push((account, keeps)),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(loaded)
        } else {
            Err(errors)
        }
    }

    /// Stops these accounts, and waits until their pollers have ended.
    async fn stop(&mut self, names: &BTreeSet<Option<Arc<str>>>) {
        let stopping = names.iter().filter_map(|name| self.by_name.remove(name));
        let stopped: Vec<_> = stopping.filter_map(|account| account.stop()).collect();
        self.wait_for(&stopped).await;
    }

    /// Stops all pollers, so that no more is counted and shown. Commits under way are
    /// finished.
    pub async fn stop_polling(mut self) -> StoppedAccounts<O> {
        let end = self.shared.gate.end_publishing().await;
        let accounts = self.by_name.values();
        let stopped: Vec<_> = accounts.filter_map(|account| account.stop()).collect();
        self.wait_for(&stopped).await;
        StoppedAccounts {
            accounts: self,
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
    pub async fn restart_ended(&mut self, counting: &Handle) {
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
        account.show_defect();
        let start = Start {
            taken_up: account.taken_up,
            first_poll_in: AFTER_DEFECT,
        };
        let before = Arc::clone(&account.health);
        let plan = account.plan.clone();
        let loaded = counting_threads::may_block(|| self.shared.load(plan, start, Some(before)));
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(error) => return try_again(&error).await,
        };
        let kept = account.exposition.clone();
        self.prepare(loaded, Some(kept));
        if let Some(account) = self.by_name.get(&name) {
            account.show_defect();
        }
        self.enroll();
        self.start(counting);
    }

    /// Prepares the tasks of an account; [`Accounts::start`] runs them.
    fn prepare(&mut self, loaded: LoadedAccount<O>, kept: Option<AccountExposition>) {
        let name = loaded.name();
        let account = self.shared.prepare(loaded, kept);
        self.by_name.insert(name, Box::new(account));
    }

    /// Lets the event log write the lines of accounts that are not in `settings` to their end.
    fn keep_event_log(&self, settings: &Settings) {
        if let Some(event_log) = &self.shared.event_log {
            let accounts = settings.accounts.iter();
            let keys = accounts.map(|account| &*account.credentials.key.text);
            event_log.keep_accounts(&keys.collect());
        }
    }

    fn enroll(&self) {
        let accounts = self.by_name.values();
        let accounts = accounts.map(|account| Arc::clone(&account.health));
        self.shared.health.replace(accounts.collect());
    }
}

/// Says that an account could not be restarted, and waits until it is worth another try.
async fn try_again(StartError { name, source }: &StartError) {
    let error = format!("{source:#}");
    tracing::error!(
        account = name.as_deref(),
        error,
        again_in_seconds = AFTER_DEFECT.as_secs(),
        "the account could not be restarted; the exporter tries again"
    );
    tokio::time::sleep(AFTER_DEFECT).await;
}
