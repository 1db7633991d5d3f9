//! The accounts that are counted, for whoever asks how they fare.
//!
//! Changed when the configuration is read anew; neither that nor a look waits for
//! a poller.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::Notify;

use crate::{metrics::SelfMetrics, poller::status::Status};

/// The accounts that are counted.
#[derive(Debug, Default)]
pub struct Roster {
    members: ArcSwap<Vec<Member>>,
    /// Once all were ready, which is never taken back.
    ready: AtomicBool,
    newcomer: Arc<Notify>,
}

/// One account.
#[derive(Debug, Clone)]
pub struct Member {
    /// `None` where there is only the one.
    pub name: Option<Arc<str>>,
    /// How its polls go.
    pub status: Arc<Status>,
    /// What it has counted.
    pub metrics: Arc<SelfMetrics>,
}

impl Roster {
    /// The state of one more account, before its first poll.
    #[must_use]
    pub fn status(&self, now: Instant) -> Status {
        Status::new(now, Arc::clone(&self.newcomer))
    }

    /// These are the accounts from now on.
    pub fn replace(&self, members: Vec<Member>) {
        self.members.store(Arc::new(members));
    }

    /// The accounts as they are.
    pub fn members(&self) -> Guard<Arc<Vec<Member>>> {
        self.members.load()
    }

    /// Whether every account has been polled or has definitely failed once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let ready = || self.members().iter().all(|member| member.status.is_ready());
        if self.ready.load(Ordering::Relaxed) {
            return true;
        }
        let ready = ready();
        self.ready.store(ready, Ordering::Relaxed);
        ready
    }

    /// The accounts whose pollers have stalled.
    #[must_use]
    pub fn stalled(&self, now: Instant) -> usize {
        let members = self.members();
        let stalled = members
            .iter()
            .filter(|member| !member.status.is_healthy(now));
        stalled.count()
    }

    /// A server scrapes for the first time, and waits to be stored: any poller that
    /// has nothing else to do will see to that.
    pub fn announce_newcomer(&self) {
        self.newcomer.notify_one();
    }
}
