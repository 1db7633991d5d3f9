//! The last call of a process: no count is shown any more, and the servers that scrape
//! have time to fetch what is shown.

use std::{sync::Arc, time::Duration};

use audit_core::gate::ScraperId;
use tokio::sync::{OwnedRwLockWriteGuard, RwLockReadGuard};

use super::SharedGate;

/// A commit under way, until it is dropped.
#[derive(Debug)]
pub struct CommitUnderWay<'g>(
    #[expect(dead_code, reason = "it is dropped")] RwLockReadGuard<'g, ()>,
);

/// The end of publishing, until it is dropped.
#[derive(Debug)]
pub struct EndOfPublishing(
    #[expect(dead_code, reason = "it is dropped")] OwnedRwLockWriteGuard<()>,
);

impl SharedGate {
    /// Begins a commit, which lasts until what it lets be shown is shown. Waits for as long
    /// as publishing has ended.
    pub async fn begin_commit(&self) -> CommitUnderWay<'_> {
        CommitUnderWay(self.commits.read().await)
    }

    /// Ends publishing: waits until each commit under way is shown or has failed, and lets
    /// no other begin.
    pub async fn end_publishing(&self) -> EndOfPublishing {
        EndOfPublishing(Arc::clone(&self.commits).write_owned().await)
    }

    /// Returns the scrapers that keep coming and were not served `generation` yet.
    #[must_use]
    pub fn not_served(&self, generation: u64, uptime: Duration) -> Vec<ScraperId> {
        self.lock().not_served(generation, uptime)
    }

    /// Waits until every scraper that keeps coming was served `generation`. `uptime` returns
    /// the time since the process started.
    pub async fn wait_until_served(&self, generation: u64, uptime: impl Fn() -> Duration) {
        loop {
            let mut scraped = std::pin::pin!(self.scraped.notified());
            // Enabled before the gate is asked, so that a scrape in between is noticed.
            scraped.as_mut().enable();
            if self.not_served(generation, uptime()).is_empty() {
                return;
            }
            scraped.await;
        }
    }
}
