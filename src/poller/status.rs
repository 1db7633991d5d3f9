//! How the poller of an account fares, for the landing page and the probes.
//!
//! Written by the poller, read by the server, waited for by neither. Time is an
//! argument.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::Notify;

/// What a person wants to know of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
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
    /// Why the last one did, and what to do.
    pub error: String,
}

/// The state of one account's poller.
#[derive(Debug)]
pub struct Status {
    begun: Instant,
    progress: ArcSwap<Progress>,
    decided: AtomicBool,
    sign_of_life_due: AtomicU64,
    newcomer: Arc<Notify>,
}

/// What is added to every deadline before a poller counts as stalled.
const GRACE: Duration = Duration::from_mins(1);

impl Status {
    /// The state before the first poll. Who is told of a `newcomer` may be any of the
    /// accounts that share it.
    #[must_use]
    pub fn new(now: Instant, newcomer: Arc<Notify>) -> Self {
        let status = Self {
            begun: now,
            progress: ArcSwap::default(),
            decided: AtomicBool::new(false),
            sign_of_life_due: AtomicU64::new(0),
            newcomer,
        };
        status.expect_life(now, Duration::ZERO);
        status
    }

    /// As it stood after the last poll.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress::clone(&self.progress.load())
    }

    /// A poll has ended, one way or the other.
    pub fn record(&self, progress: Progress) {
        self.progress.store(progress.into());
        self.decided.store(true, Ordering::Relaxed);
    }

    /// Whether a poll has succeeded or definitely failed. Never taken back.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.decided.load(Ordering::Relaxed)
    }

    /// Waits for a server that waits to be stored.
    pub async fn newcomer(&self) {
        self.newcomer.notified().await;
    }

    /// The poller will show that it lives within `bound` (and some grace).
    pub fn expect_life(&self, now: Instant, bound: Duration) {
        let due = (now - self.begun)
            .saturating_add(bound)
            .saturating_add(GRACE);
        let due = u64::try_from(due.as_millis()).unwrap_or(u64::MAX);
        self.sign_of_life_due.store(due, Ordering::Relaxed);
    }

    /// Whether the poller has not stalled.
    #[must_use]
    pub fn is_healthy(&self, now: Instant) -> bool {
        let due = Duration::from_millis(self.sign_of_life_due.load(Ordering::Relaxed));
        now.saturating_duration_since(self.begun) <= due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poller_that_shows_no_life_has_stalled() {
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        let status = Status::new(begun, Arc::default());
        assert!(status.is_healthy(at(60)));
        assert!(!status.is_healthy(at(61)));
        status.expect_life(at(100), Duration::from_secs(30));
        assert!(status.is_healthy(at(190)));
        assert!(!status.is_healthy(at(191)));
        status.expect_life(at(200), Duration::MAX);
        assert!(status.is_healthy(at(u64::from(u32::MAX))));
    }

    #[test]
    fn ready_once_decided_and_ever_after() {
        let status = Status::new(Instant::now(), Arc::default());
        assert!(!status.is_ready());
        let failing = Failing {
            since: Timestamp::UNIX_EPOCH,
            error: "no".into(),
        };
        status.record(Progress {
            failing: Some(failing),
            ..Progress::default()
        });
        assert!(status.is_ready());
    }
}
