//! The last call: polling has stopped, and the process goes on serving until each server
//! that scrapes has fetched what is shown.
//!
//! Without it, an exporter that is replaced under another address would lose the events
//! that were shown after the last scrape: the new process shows them from its first answer
//! on, and a series has no increase in its first sample.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use audit_core::gate::ScraperId;
use tokio::time::Instant;

use crate::{
    exposition::Exposition, gate::SharedGate, metrics::log_seconds, server::ScrapeRecorder,
};

/// The parts that the last call needs.
#[derive(Debug)]
pub(super) struct LastCall {
    pub(super) exposition: Arc<Exposition>,
    pub(super) gate: Arc<SharedGate>,
    pub(super) recorder: Arc<ScrapeRecorder>,
    /// The time at which the process started.
    pub(super) started: Instant,
    /// The longest that the last call may take.
    pub(super) timeout: Duration,
}

impl LastCall {
    /// Waits until polling has stopped, and then until each server that keeps coming has
    /// fetched what is shown; for at most `self.timeout` in all.
    pub(super) async fn run(&self, polling_stopped: impl Future<Output = ()>) {
        let waiting = async {
            polling_stopped.await;
            self.wait_for_servers().await;
        };
        if tokio::time::timeout(self.timeout, waiting).await.is_err() {
            self.name_missing();
        }
    }

    async fn wait_for_servers(&self) {
        let missing = self.missing();
        if missing.is_empty() {
            return;
        }
        tracing::info!(
            servers = missing.len(),
            at_most_seconds = log_seconds(self.timeout),
            "waiting until servers that scrape have fetched the last counts; another signal ends the wait"
        );
        let generation = self.exposition.last_changed();
        let uptime = || self.started.elapsed();
        self.gate.wait_until_served(generation, uptime).await;
        tracing::info!("all servers that scrape have fetched the last counts");
    }

    fn name_missing(&self) {
        let missing = self.missing();
        let addresses = missing.iter().map(|scraper| self.recorder.name(*scraper));
        let addresses: BTreeSet<String> = addresses.collect();
        let addresses = Vec::from_iter(addresses).join(", ");
        tracing::warn!(
            servers = missing.len(),
            addresses,
            "servers that scrape did not fetch the last counts in time; if the next process is scraped under another name, increase() there does not see them: set --web.shutdown-timeout above the scrape interval"
        );
    }

    /// Returns the servers that have not fetched what is shown.
    fn missing(&self) -> Vec<ScraperId> {
        match self.exposition.last_changed() {
            // Nothing is shown.
            0 => Vec::new(),
            generation => self.gate.not_served(generation, self.started.elapsed()),
        }
    }
}
