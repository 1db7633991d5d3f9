//! What one connection has done and when, as others may look at it at any time.

use std::{
    future::pending,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use once_cell::sync::Lazy;

/// Times are told in milliseconds since then.
static BEGINNING: Lazy<Instant> = Lazy::new(Instant::now);

/// One connection, from its acceptance on.
#[derive(Debug)]
pub(crate) struct Activity {
    /// When it was accepted, asked last, or took the rest of an answer.
    last: AtomicU64,
    /// Since when it has not taken what was sent; 0 where it has.
    behind: AtomicU64,
    /// Whether it ever asked.
    asked: AtomicBool,
    /// Whether an answer to it counts as in flight.
    answered: AtomicBool,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            last: AtomicU64::new(now()),
            behind: AtomicU64::new(0),
            asked: AtomicBool::new(false),
            answered: AtomicBool::new(false),
        }
    }

    /// The head of a request has been read.
    pub(crate) fn request_received(&self) {
        self.asked.store(true, Relaxed);
        self.last.store(now(), Relaxed);
    }

    pub(crate) fn has_asked(&self) -> bool {
        self.asked.load(Relaxed)
    }

    /// Resolves when `limit` has passed without a request, and never where one came.
    pub(crate) async fn no_request_within(&self, limit: Duration) {
        tokio::time::sleep(limit).await;
        if self.has_asked() {
            pending::<()>().await;
        }
    }

    /// The client does not take what is sent.
    pub(crate) fn set_behind(&self) {
        let _ = self
            .behind
            .compare_exchange(0, now().max(1), Relaxed, Relaxed);
    }

    /// The client has taken all that was sent.
    pub(crate) fn clear_behind(&self) {
        self.behind.store(0, Relaxed);
        self.last.store(now(), Relaxed);
    }

    /// For how long the client has been behind; `None` where it is not.
    pub(crate) fn behind_for(&self) -> Option<Duration> {
        match self.behind.load(Relaxed) {
            0 => None,
            since => Some(Duration::from_millis(now().saturating_sub(since))),
        }
    }

    /// A moment that is later for connections that were active later.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Relaxed)
    }

    pub(crate) fn set_answered(&self, answered: bool) {
        self.answered.store(answered, Relaxed);
    }

    /// Whether an answer to it counts as in flight.
    pub(crate) fn is_answered(&self) -> bool {
        self.answered.load(Relaxed)
    }
}

fn now() -> u64 {
    u64::try_from(BEGINNING.elapsed().as_millis()).unwrap_or(u64::MAX)
}
