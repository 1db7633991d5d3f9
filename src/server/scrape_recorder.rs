//! Records scrapes in the publish gate, and warns of what they tell.

use std::{sync::Arc, time::Instant};

use audit_core::gate::{Recorded, ScraperId};
use exporter_web::ResponseBody;
use jiff::Timestamp;

use super::{
    scraper_addresses::ScraperAddresses, scraper_warnings::ScraperWarnings, visitor::ScrapeRequest,
};
use crate::gate::SharedGate;

/// Records scrapes once their answers were sent.
#[derive(Debug)]
pub(crate) struct ScrapeRecorder {
    gate: Arc<SharedGate>,
    /// The time at which the process started.
    started: Instant,
    addresses: ScraperAddresses,
    pub(super) warnings: ScraperWarnings,
}

impl ScrapeRecorder {
    pub(crate) fn new(gate: Arc<SharedGate>, started: Instant) -> Self {
        Self {
            gate,
            started,
            addresses: ScraperAddresses::default(),
            warnings: ScraperWarnings::default(),
        }
    }

    /// Returns `body` so that the scrape is recorded once the body was sent. A scraper whose
    /// answer is cut or lost before that has not seen what the answer shows.
    pub(super) fn record_when_sent(
        self: &Arc<Self>,
        body: ResponseBody,
        request: ScrapeRequest,
        generation: u64,
    ) -> ResponseBody {
        let recorder = Arc::clone(self);
        body.on_sent(move || recorder.record(&request, generation))
    }

    /// Returns the name of a scraper for the log: its address.
    pub(crate) fn name(&self, scraper: ScraperId) -> String {
        let address = self.addresses.get(scraper);
        address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
    }

    fn record(&self, request: &ScrapeRequest, generation: u64) {
        let ScrapeRequest { scrape, server, .. } = request;
        self.addresses.record(scrape.scraper, *server);
        let uptime = self.started.elapsed();
        let Recorded {
            is_renamed,
            is_pooled,
            was_replaced,
        } = self.gate.record_scrape(*scrape, generation, uptime);
        if is_renamed {
            let (host, now) = (request.host(), Timestamp::now());
            self.warnings.warn_of_other_name(scrape, *server, host, now);
        }
        if is_pooled {
            self.warnings.warn_of_pool(scrape.scraper, *server);
        }
        if was_replaced {
            self.warnings.warn_of_return(scrape.scraper, *server);
        }
        if let Some(interval) = self.gate.interval_above_setting(scrape.scraper) {
            self.warnings
                .warn_of_slow_scraper(scrape.scraper, *server, interval);
        }
    }
}
