//! The health of each account's polls, for the landing page and the probes.
//!
//! Pollers write, the server reads, and neither waits for the other. This module reads no
//! clock: the caller passes `uptime`, the time since the process started.

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

/// The time after a missed sign of life until a poller counts as stalled.
const GRACE: Duration = Duration::from_mins(1);

/// The health of all accounts that are polled.
#[derive(Debug, Default)]
pub(crate) struct Health {
    accounts: ArcSwap<Vec<Arc<AccountHealth>>>,
    /// `true` once every account was ready, and from then on.
    ready: AtomicBool,
    /// `true` once the process is about to end, and its pollers stop.
    ending: AtomicBool,
}

/// The health of one account: how its polls go, and whether its poller has stalled.
#[derive(Debug)]
pub struct AccountHealth {
    name: Option<Arc<str>>,
    metrics: Arc<AccountMetrics>,
    polls: ArcSwap<PollState>,
    /// `true` once a poll has succeeded or failed.
    is_ready: AtomicBool,
    /// The uptime at which the poller counts as stalled, in milliseconds.
    sign_of_life_due: AtomicU64,
}

/// The outcome of the last polls of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PollState {
    /// The time of the last poll that succeeded.
    pub(crate) last_success: Option<Timestamp>,
    /// The failure of the last poll; `None` if it succeeded.
    pub(crate) failing: Option<Failing>,
    /// The highest number of events that the API shows of one query; `None` if no limit is
    /// known.
    pub(crate) limit: Option<u64>,
}

/// The failure of all polls since a given time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failing {
    /// The time of the first poll that failed.
    pub(crate) since: Timestamp,
    /// The error of the last poll, with what to do about it.
    pub(crate) error: String,
}

impl Health {
    /// Replaces the accounts that are polled; `accounts` are in the order of their names.
    pub(crate) fn replace(&self, accounts: Vec<Arc<AccountHealth>>) {
        self.accounts.store(Arc::new(accounts));
    }

    /// Returns the accounts that are polled, in the order of their names.
    pub(crate) fn accounts(&self) -> Guard<Arc<Vec<Arc<AccountHealth>>>> {
        self.accounts.load()
    }

    /// Records that the process is about to end, and that its pollers stop.
    pub(crate) fn set_ending(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    /// Returns `true` once the process is about to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Returns `true` once a poll of every account has succeeded or failed, or has begun to
    /// catch up, and from then on, whatever accounts are added.
    pub(crate) fn is_ready(&self) -> bool {
        if self.ready.load(Ordering::Relaxed) {
            return true;
        }
        let ready = self.accounts().iter().all(|account| account.is_ready());
        self.ready.store(ready, Ordering::Relaxed);
        ready
    }

    /// Returns the number of accounts whose pollers have stalled; none has that was stopped
    /// because the process is about to end.
    pub(crate) fn stalled(&self, uptime: Duration) -> usize {
        if self.is_ending() {
            return 0;
        }
        let accounts = self.accounts();
        let stalled = accounts
            .iter()
            .filter(|account| !account.is_healthy(uptime));
        stalled.count()
    }
}

impl AccountHealth {
    /// Returns the health of an account before its first poll. The `name` is `None` for
    /// the only account. `metrics` are those of the poller's own work.
    #[must_use]
    pub fn new(name: Option<Arc<str>>, metrics: Arc<AccountMetrics>, uptime: Duration) -> Self {
        let health = Self {
            name,
            metrics,
            polls: ArcSwap::default(),
            is_ready: AtomicBool::new(false),
            sign_of_life_due: AtomicU64::new(0),
        };
        health.expect_life(uptime, Duration::ZERO);
        health
    }

    /// Returns the name of the account; `None` for the only account.
    pub(crate) fn name(&self) -> Option<&Arc<str>> {
        self.name.as_ref()
    }

    /// Returns the metrics of the poller's own work.
    pub(crate) fn metrics(&self) -> &Arc<AccountMetrics> {
        &self.metrics
    }

    /// Returns how the last polls ended.
    pub(crate) fn polls(&self) -> Arc<PollState> {
        self.polls.load_full()
    }

    /// Shows how the polls of the poller ended that this one takes the place of.
    pub(crate) fn go_on_from(&self, before: &Self) {
        self.polls.store(before.polls.load_full());
    }

    /// Records how a poll has ended.
    pub(crate) fn record(&self, polls: PollState) {
        self.polls.store(polls.into());
        self.is_ready.store(true, Ordering::Relaxed);
    }

    /// Returns `true` while the poller reads history or an outage, and its watermark moves.
    pub(crate) fn is_catching_up(&self) -> bool {
        self.metrics.catching_up.get() == 1
    }

    /// Returns `true` once a poll has succeeded or failed, or has begun to catch up.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed) || self.is_catching_up()
    }

    /// Records that the poller shows its next sign of life within `bound` from `uptime`
    /// on. The poller counts as stalled a minute after that.
    pub(crate) fn expect_life(&self, uptime: Duration, bound: Duration) {
        let due = uptime.saturating_add(bound).saturating_add(GRACE);
        let due = u64::try_from(due.as_millis()).unwrap_or(u64::MAX);
        self.sign_of_life_due.store(due, Ordering::Relaxed);
    }

    /// Returns `true` unless the poller has stalled.
    pub(crate) fn is_healthy(&self, uptime: Duration) -> bool {
        uptime <= Duration::from_millis(self.sign_of_life_due.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ProcessMetrics;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn account(begun: u64) -> Arc<AccountHealth> {
        let process = ProcessMetrics::new().expect("metrics");
        let metrics = Arc::new(AccountMetrics::new(&[], &process));
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
    fn a_poller_without_a_sign_of_life_has_stalled() {
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
    fn an_account_is_ready_once_a_poll_has_ended() {
        let account = account(0);
        assert!(!account.is_ready());
        account.record(failed());
        assert!(account.is_ready());
    }

    #[test]
    fn all_accounts_are_ready_once_each_was_and_stay_ready_when_others_are_added() {
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
        assert!(!health.is_ending());
        health.set_ending();
        assert_eq!((health.is_ending(), health.stalled(at(61))), (true, 0));
    }

    #[test]
    fn an_account_that_catches_up_is_ready() {
        let account = account(0);
        let health = Health::default();
        health.replace(vec![Arc::clone(&account)]);
        assert!(!health.is_ready());
        account.metrics().catching_up.set(1);
        assert!(health.is_ready());
    }
}
