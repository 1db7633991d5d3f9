//! The publish gate of the running exporter: one [`Gate`] for all accounts.
//!
//! [`audit_core::gate`] holds the rules. This module adds what the rules cannot know:
//! the lock that scrapes and pollers share, and the two signals between them. A scrape
//! by a scraper that is not stored yet wakes a poller ([`SharedGate::unstored`]), and the
//! commit of that poller wakes the scrape ([`SharedGate::wait_until_stored`]).
//!
//! | caller | calls |
//! | --- | --- |
//! | `server::routes`, before a scrape is answered | [`SharedGate::wait_until_stored`] |
//! | `exposition`, while it answers a scrape | [`SharedGate::may_show`], [`SharedGate::hold`] |
//! | `server::scrape_recorder`, once the answer was sent | [`SharedGate::record_scrape`] |
//! | `poller::collector`, before and after it stores a commit | [`SharedGate::prepare`], [`SharedGate::confirm`] |
//! | `poller::gate_watch`, while the poller waits | [`SharedGate::is_settled`], [`SharedGate::unstored`] |
//! | `poller::collector`, around each commit | [`SharedGate::begin_commit`] |
//! | `exporter`, before the process ends | [`SharedGate::end_publishing`], [`SharedGate::wait_until_served`] |

mod last_call;

pub use last_call::{CommitUnderWay, EndOfPublishing};

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit_core::{
    account::{Account, Commit},
    gate::{Gate, Recorded, SavedGate, Scrape, ScraperId},
};
use tokio::{
    sync::{Notify, RwLock},
    time::timeout,
};

/// The publish gate that scrapes and pollers share.
///
/// Every `uptime` is the time since the process started. The lock is held only while the
/// gate is read or changed, so no caller waits for the work of another caller.
#[derive(Debug)]
pub struct SharedGate {
    gate: Mutex<Gate>,
    /// Notified when a scraper has to be stored.
    unstored: Notify,
    /// Notified when a commit was stored.
    stored: Notify,
    /// Notified when a scrape was recorded.
    scraped: Notify,
    /// Locked for reading by each commit under way, and for writing by the end of
    /// publishing.
    commits: Arc<RwLock<()>>,
}

impl SharedGate {
    /// Shares `gate`.
    #[must_use]
    pub fn new(gate: Gate) -> Self {
        Self {
            gate: Mutex::new(gate),
            unstored: Notify::new(),
            stored: Notify::new(),
            scraped: Notify::new(),
            commits: Arc::default(),
        }
    }

    /// Records that `scraper` is about to be answered, and wakes a poller if the scraper
    /// has to be stored first. Returns `true` if the answer may show events already.
    pub fn announce(&self, scraper: ScraperId, uptime: Duration) -> bool {
        let may_show = self.lock().announce(scraper, uptime);
        if !may_show {
            self.unstored.notify_one();
        }
        may_show
    }

    /// Announces `scraper`, and waits until the answer to it may show events, but for no
    /// longer than `limit`.
    pub async fn wait_until_stored(&self, scraper: ScraperId, limit: Duration, uptime: Duration) {
        let stored = async {
            loop {
                let mut stored = std::pin::pin!(self.stored.notified());
                // Enabled before the gate is asked, so that a commit in between is noticed.
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

    /// Returns `true` if an answer to `scraper` may show events.
    pub fn may_show(&self, scraper: ScraperId) -> bool {
        self.lock().may_show(scraper)
    }

    /// Records a scrape that was answered with `generation`; 0 if the answer showed no
    /// events.
    pub fn record_scrape(&self, scrape: Scrape, generation: u64, uptime: Duration) -> Recorded {
        let recorded = self.lock().record_scrape(scrape, generation, uptime);
        self.scraped.notify_waiters();
        recorded
    }

    /// Returns the hold of the gate; zero while the gate is open to all.
    #[must_use]
    pub fn hold(&self, uptime: Duration) -> Duration {
        let gate = self.lock();
        if gate.is_open_to_all() {
            Duration::ZERO
        } else {
            gate.hold(uptime)
        }
    }

    /// Returns the learned interval of `scraper` if it is clearly longer than the interval
    /// that the user has set.
    #[must_use]
    pub fn interval_above_setting(&self, scraper: ScraperId) -> Option<Duration> {
        self.lock().interval_above_setting(scraper)
    }

    /// Returns the next commit of `account`, and what has to be stored of the gate with
    /// it.
    #[must_use]
    pub fn prepare(&self, account: &Account, uptime: Duration) -> (Commit, SavedGate) {
        let gate = self.lock();
        (account.prepare(&gate, uptime), gate.saved(uptime))
    }

    /// Records that `saved` is stored, and wakes the scrapes that wait for it.
    pub fn confirm(&self, saved: &SavedGate) {
        self.lock().confirm(saved);
        self.stored.notify_waiters();
    }

    /// Returns `true` if a commit of `account` would store a scraper, store an event, let a
    /// count be shown, or store how long a count has waited. A new watermark alone is no
    /// reason for a commit: without it a later process reads some events again, which costs
    /// requests and loses nothing.
    #[must_use]
    pub fn has_to_commit(&self, account: &Account, uptime: Duration) -> bool {
        let gate = self.lock();
        gate.has_unstored_scraper(uptime)
            || !account.ledger.changes(&gate, uptime).is_empty()
            || (account.ledger.pending() > 0 && gate.has_unstored_wait(uptime))
            || !account.window.fresh().is_empty()
    }

    /// Returns `true` if no commit of `account` is needed for the gate until an event is
    /// counted or a new scraper comes: no count waits for the gate, and every scraper is
    /// stored.
    #[must_use]
    pub fn is_settled(&self, account: &Account, uptime: Duration) -> bool {
        let gate = self.lock();
        let decided = gate.is_open_to_all() || account.ledger.is_settled();
        decided && !gate.has_unstored_scraper(uptime)
    }

    /// Waits until a scraper has to be stored. Only one of the waiting pollers is woken,
    /// since the poller of any account can store a new scraper.
    pub async fn unstored(&self) {
        self.unstored.notified().await;
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Gate> {
        // If another thread panicked, its state is still the best that there is.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
