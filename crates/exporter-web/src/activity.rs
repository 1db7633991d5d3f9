//! The activity of a connection, for other tasks to look at.

use std::{
    future::pending,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use once_cell::sync::Lazy;

use crate::sent::WrittenAnswers;

/// The time from the acceptance of a connection within which most clients send a request.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// The origin of the times in [`Activity`], which are milliseconds.
static ORIGIN: Lazy<Instant> = Lazy::new(Instant::now);

/// The activity of one connection, from its acceptance on.
#[derive(Debug)]
pub(crate) struct Activity {
    /// The time when the connection was accepted, last sent a request, or took the rest
    /// of an answer.
    last: AtomicU64,
    /// The time since when the client has not read what was sent; 0 if it has.
    behind_since: AtomicU64,
    has_asked: AtomicBool,
    /// `true` while a request waits for the check of its password.
    is_waiting: AtomicBool,
    /// `true` while an answer to the client is in flight.
    is_answered: AtomicBool,
    /// The answers that were written, but not flushed yet.
    pub(crate) written: WrittenAnswers,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self {
            last: AtomicU64::new(now()),
            behind_since: AtomicU64::new(0),
            has_asked: AtomicBool::new(false),
            is_waiting: AtomicBool::new(false),
            is_answered: AtomicBool::new(false),
            written: WrittenAnswers::default(),
        }
    }

    /// Records that the head of a request has been read.
    pub(crate) fn request_received(&self) {
        self.has_asked.store(true, Relaxed);
        self.last.store(now(), Relaxed);
    }

    /// Returns `true` if the connection has sent a request.
    pub(crate) fn has_asked(&self) -> bool {
        self.has_asked.load(Relaxed)
    }

    /// Returns `true` if the connection is too young for its first request to be late.
    pub(crate) fn is_about_to_ask(&self) -> bool {
        let age = Duration::from_millis(now().saturating_sub(self.last.load(Relaxed)));
        !self.has_asked() && age < FIRST_REQUEST
    }

    /// Resolves after `limit` if no request has come by then, and otherwise never.
    pub(crate) async fn no_request_within(&self, limit: Duration) {
        tokio::time::sleep(limit).await;
        if self.has_asked() {
            pending::<()>().await;
        }
    }

    /// Records that the client does not read what was sent.
    pub(crate) fn set_behind(&self) {
        let since = now().max(1);
        let behind_since = &self.behind_since;
        let _ = behind_since.compare_exchange(0, since, Relaxed, Relaxed);
    }

    /// Records that the client has read all that was sent.
    pub(crate) fn clear_behind(&self) {
        self.behind_since.store(0, Relaxed);
        self.last.store(now(), Relaxed);
    }

    /// Returns for how long the client has not read what was sent; `None` if it has.
    pub(crate) fn behind_for(&self) -> Option<Duration> {
        match self.behind_since.load(Relaxed) {
            0 => None,
            since => Some(Duration::from_millis(now().saturating_sub(since))),
        }
    }

    /// Returns a number that is higher for connections that were active later.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Relaxed)
    }

    pub(crate) fn set_waiting(&self, is_waiting: bool) {
        self.is_waiting.store(is_waiting, Relaxed);
    }

    /// Returns `true` while a request waits for the check of its password.
    pub(crate) fn is_waiting(&self) -> bool {
        self.is_waiting.load(Relaxed)
    }

    pub(crate) fn set_answered(&self, is_answered: bool) {
        self.is_answered.store(is_answered, Relaxed);
    }

    /// Returns `true` while an answer to the client is in flight.
    pub(crate) fn is_answered(&self) -> bool {
        self.is_answered.load(Relaxed)
    }
}

fn now() -> u64 {
    u64::try_from(ORIGIN.elapsed().as_millis()).unwrap_or(u64::MAX)
}
