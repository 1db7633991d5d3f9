//! Records scrapes in the publish gate, and warns of what they tell.

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use audit_core::gate::{Scrape, ScraperId};
use exporter_web::{Peer, ResponseBody};

use crate::{gate::SharedGate, metrics::log_seconds};

/// The highest number of scrapers that the log names, more than any installation has.
const MAX_NAMED: usize = 64;

/// Records scrapes once their answers were sent.
#[derive(Debug)]
pub(super) struct ScrapeRecorder {
    gate: Arc<SharedGate>,
    /// The time at which the process started.
    started: Instant,
    /// The slow scrapers that the log has named.
    slow_scrapers: Mutex<BTreeSet<ScraperId>>,
}

impl ScrapeRecorder {
    pub(super) fn new(gate: Arc<SharedGate>, started: Instant) -> Self {
        Self {
            gate,
            started,
            slow_scrapers: Mutex::default(),
        }
    }

    /// Returns `body` so that `scrape` is recorded once the body was sent. A scrape whose
    /// answer is cut or lost before that has not seen what the answer shows.
    pub(super) fn record_when_sent(
        self: &Arc<Self>,
        body: ResponseBody,
        (scrape, peer): (Scrape, Peer),
        generation: u64,
    ) -> ResponseBody {
        let recorder = Arc::clone(self);
        body.on_sent(move || recorder.record(&scrape, peer.address(), generation))
    }

    fn record(&self, scrape: &Scrape, address: IpAddr, generation: u64) {
        let uptime = self.started.elapsed();
        self.gate.record_scrape(scrape, generation, uptime);
        self.name_if_slow(scrape.scraper, address);
    }

    /// Logs once that a scraper scrapes less often than the user has set.
    fn name_if_slow(&self, scraper: ScraperId, address: IpAddr) {
        let Some(every) = self.gate.interval_above_setting(scraper) else {
            return;
        };
        let mut named = self
            .slow_scrapers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if named.len() < MAX_NAMED && named.insert(scraper) {
            tracing::warn!(
                server = %address,
                interval_seconds = log_seconds(every),
                "a server scrapes less often than --metrics.scrape-interval says and may miss the first event of a series; set it to the longest interval in use, or to auto"
            );
        }
    }
}
