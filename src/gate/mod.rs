//! The publish gate of the running exporter: one [`Gate`] for all accounts.
//!
//! [`audit_core::gate`] holds the rules. This module adds what the rules cannot know:
//! the lock that scrapes and pollers share, and the two signals between them. A scrape
//! of a scraper that is not stored yet wakes a poller ([`SharedGate::unstored`]); the
//! commit of that poller wakes the scrape ([`SharedGate::wait_until_stored`]).
//!
//! | caller | asks |
//! | --- | --- |
//! | `server::routes`, before a scrape is answered | [`SharedGate::wait_until_stored`] |
//! | `exposition`, while it answers a scrape | [`SharedGate::note`], [`SharedGate::hold`] |
//! | `poller::collector`, before and after it stores a commit | [`SharedGate::prepare`], [`SharedGate::confirm`] |
//! | `poller`, between two polls | [`SharedGate::is_settled`], [`SharedGate::unstored`] |

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit_core::{
    account::{Account, Commit},
    gate::{Gate, SavedGate, Scrape, ScraperId},
};
use tokio::{sync::Notify, time::timeout};

/// The publish gate that scrapes and pollers share.
///
/// Every `uptime` is the time since the process started. The lock is held for a look
/// at the gate and for nothing else, so no caller waits for another one's work.
#[derive(Debug)]
pub struct SharedGate {
    gate: Mutex<Gate>,
    unstored: Notify,
    stored: Notify,
}

impl SharedGate {
    /// Shares `gate`.
    #[must_use]
    pub fn new(gate: Gate) -> Self {
        Self {
            gate: Mutex::new(gate),
            unstored: Notify::new(),
            stored: Notify::new(),
        }
    }

    /// Takes note that `scraper` is about to be answered, and wakes a poller if the
    /// scraper has to be stored first. Returns whether it may be shown events already.
    pub fn announce(&self, scraper: ScraperId, uptime: Duration) -> bool {
        let may_show = self.lock().announce(scraper, uptime);
        if !may_show {
            self.unstored.notify_one();
        }
        may_show
    }

    /// Announces `scraper`, and waits until it may be shown events; gives up after
    /// `limit`.
    pub async fn wait_until_stored(&self, scraper: ScraperId, limit: Duration, uptime: Duration) {
        let stored = async {
            loop {
                let mut stored = std::pin::pin!(self.stored.notified());
                // Before the look, so that a commit between the two is not missed.
                stored.as_mut().enable();
                if self.announce(scraper, uptime) {
                    return;
                }
                stored.await;
            }
        };
        // After the limit the scrape is answered without events.
        let _ = timeout(limit, stored).await;
    }

    /// Takes note of a scrape that is answered with `generation`. Returns whether the
    /// answer may show events.
    pub fn note(&self, scrape: Scrape, generation: u64, uptime: Duration) -> bool {
        self.lock().note(scrape, generation, uptime)
    }

    /// The hold of the gate; zero while the gate is open to all.
    #[must_use]
    pub fn hold(&self, uptime: Duration) -> Duration {
        let gate = self.lock();
        if gate.is_open_to_all() {
            Duration::ZERO
        } else {
            gate.hold(uptime)
        }
    }

    /// The learned interval of `scraper`, if it is longer than the interval that the
    /// user has set.
    #[must_use]
    pub fn slower_than_told(&self, scraper: ScraperId) -> Option<Duration> {
        self.lock().slower_than_told(scraper)
    }

    /// The next commit of `account`, and what is to be stored of the gate with it.
    #[must_use]
    pub fn prepare(&self, account: &Account, uptime: Duration) -> (Commit, SavedGate) {
        let gate = self.lock();
        (account.prepare(&gate, uptime), gate.saved(uptime))
    }

    /// Takes over that `saved` was stored.
    pub fn confirm(&self, saved: &SavedGate) {
        self.lock().confirm(saved);
        self.stored.notify_waiters();
    }

    /// Returns whether a commit of `account` would store a scraper, store an event, or
    /// let a count be shown. A watermark that moved is no reason for a commit: reading
    /// a stretch again costs requests and loses nothing.
    #[must_use]
    pub fn has_to_commit(&self, account: &Account, uptime: Duration) -> bool {
        let gate = self.lock();
        gate.is_unstored(uptime)
            || !account.ledger.changes(&gate, uptime).is_empty()
            || !account.window.fresh().is_empty()
    }

    /// Returns whether the gate decides nothing about `account` and stores nothing
    /// until an event is counted or a new scraper comes.
    #[must_use]
    pub fn is_settled(&self, account: &Account, uptime: Duration) -> bool {
        let gate = self.lock();
        let decided = gate.is_open_to_all() || account.ledger.is_settled();
        decided && !gate.is_unstored(uptime)
    }

    /// Waits until a scraper has to be stored. One poller is woken for it, of whatever
    /// account.
    pub async fn unstored(&self) {
        self.unstored.notified().await;
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Gate> {
        // After a panic elsewhere the gate is still the best that is known.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
