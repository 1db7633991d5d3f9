//! How the polls of each account go, for the landing page and the probes.
//!
//! Pollers write, the server reads, and neither waits for the other. Time is an
//! argument: `uptime` is the time since the process started.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use jiff::Timestamp;

use crate::metrics::AccountMetrics;

/// Added to every deadline before a poller counts as stalled.
const GRACE: Duration = Duration::from_mins(1);

/// The health of all accounts that are polled.
#[derive(Debug, Default)]
pub struct Health {
    accounts: ArcSwap<Vec<Arc<AccountHealth>>>,
    /// Set once every account was ready, and never taken back.
    ready: AtomicBool,
}

/// How the polls of one account go.
#[derive(Debug)]
pub struct AccountHealth {
    name: Option<Arc<str>>,
    metrics: Arc<AccountMetrics>,
    polls: ArcSwap<PollState>,
    decided: AtomicBool,
    /// In milliseconds of uptime.
    sign_of_life_due: AtomicU64,
}

/// How the last polls of an account ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PollState {
    /// When a poll last succeeded.
    pub last_success: Option<Timestamp>,
    /// Set while polls fail.
    pub failing: Option<Failing>,
}

/// Polls that fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// When the first of them failed.
    pub since: Timestamp,
    /// Why the last one failed, and what to do.
    pub error: String,
}

impl Health {
    /// Replaces the accounts that are polled.
    pub fn replace(&self, accounts: Vec<Arc<AccountHealth>>) {
        self.accounts.store(Arc::new(accounts));
    }

    /// The accounts that are polled, in the order of their names.
    pub fn accounts(&self) -> Guard<Arc<Vec<Arc<AccountHealth>>>> {
        self.accounts.load()
    }

    /// Returns whether every account has been polled, or has definitely failed, once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        if self.ready.load(Ordering::Relaxed) {
            return true;
        }
        let ready = self.accounts().iter().all(|account| account.is_ready());
        self.ready.store(ready, Ordering::Relaxed);
        ready
    }

    /// The number of accounts whose pollers have stalled.
    #[must_use]
    pub fn stalled(&self, uptime: Duration) -> usize {
        let accounts = self.accounts();
        let stalled = accounts
            .iter()
            .filter(|account| !account.is_healthy(uptime));
        stalled.count()
    }
}

impl AccountHealth {
    /// The health of an account before its first poll. An account without a `name` is
    /// the only one. `metrics` is where its poller counts its own work.
    #[must_use]
    pub fn new(name: Option<Arc<str>>, metrics: Arc<AccountMetrics>, uptime: Duration) -> Self {
        let health = Self {
            name,
            metrics,
            polls: ArcSwap::default(),
            decided: AtomicBool::new(false),
            sign_of_life_due: AtomicU64::new(0),
        };
        health.expect_life(uptime, Duration::ZERO);
        health
    }

    /// The name of the account; `None` for the only one.
    #[must_use]
    pub fn name(&self) -> Option<&Arc<str>> {
        self.name.as_ref()
    }

    /// The metrics in which the poller counts its own work.
    #[must_use]
    pub fn metrics(&self) -> &Arc<AccountMetrics> {
        &self.metrics
    }

    /// How the last polls ended.
    #[must_use]
    pub fn polls(&self) -> PollState {
        PollState::clone(&self.polls.load())
    }

    /// Takes note of how a poll has ended.
    pub fn record(&self, polls: PollState) {
        self.polls.store(polls.into());
        self.decided.store(true, Ordering::Relaxed);
    }

    /// Returns whether a poll has succeeded or definitely failed. Never taken back.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.decided.load(Ordering::Relaxed)
    }

    /// Takes note that the poller will show a sign of life within `bound`, to which
    /// some grace is added.
    pub fn expect_life(&self, uptime: Duration, bound: Duration) {
        let due = uptime.saturating_add(bound).saturating_add(GRACE);
        let due = u64::try_from(due.as_millis()).unwrap_or(u64::MAX);
        self.sign_of_life_due.store(due, Ordering::Relaxed);
    }

    /// Returns whether the poller has not stalled.
    #[must_use]
    pub fn is_healthy(&self, uptime: Duration) -> bool {
        uptime <= Duration::from_millis(self.sign_of_life_due.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn account(begun: u64) -> Arc<AccountHealth> {
        let metrics = Arc::new(AccountMetrics::new(&[], None).expect("metrics"));
        Arc::new(AccountHealth::new(None, metrics, at(begun)))
    }

    fn failed() -> PollState {
        let failing = Failing {
            since: Timestamp::UNIX_EPOCH,
            error: "no".into(),
        };
        PollState {
            failing: Some(failing),
            ..PollState::default()
        }
    }

    #[test]
    fn a_poller_that_shows_no_life_has_stalled() {
        let account = account(7);
        assert!(account.is_healthy(at(67)));
        assert!(!account.is_healthy(at(68)));
        account.expect_life(at(100), at(30));
        assert!(account.is_healthy(at(190)));
        assert!(!account.is_healthy(at(191)));
        account.expect_life(at(200), Duration::MAX);
        assert!(account.is_healthy(at(u64::from(u32::MAX))));
    }

    #[test]
    fn an_account_is_ready_once_a_poll_has_ended_and_ever_after() {
        let account = account(0);
        assert!(!account.is_ready());
        account.record(failed());
        assert!(account.is_ready());
    }

    #[test]
    fn all_are_ready_once_each_was_and_stay_so_when_others_come() {
        let (first, second) = (account(0), account(0));
        let health = Health::default();
        health.replace(vec![Arc::clone(&first), Arc::clone(&second)]);
        first.record(failed());
        assert!(!health.is_ready());
        second.record(PollState::default());
        assert!(health.is_ready());
        health.replace(vec![account(0)]);
        assert!(health.is_ready());
        assert_eq!(health.stalled(at(60)), 0);
        assert_eq!(health.stalled(at(61)), 1);
    }
}
