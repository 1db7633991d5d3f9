//! Warnings about servers that scrape. The log has each of them once.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit_core::gate::{Scrape, ScraperId};
use exporter_web::PeerAddress;
use jiff::Timestamp;

use crate::metrics::log_seconds;

/// The highest number of warnings of one kind, more than any installation has scrapers.
const MAX_WARNINGS: usize = 64;

/// The warnings that the log has.
#[derive(Debug, Default)]
pub(super) struct ScraperWarnings {
    slow: GivenWarnings,
    renamed: GivenWarnings,
    pooled: GivenWarnings,
    returned: GivenWarnings,
    last_rename: Mutex<Option<Timestamp>>,
}

/// The warnings of one kind that the log has: the scrapers, each with its target if the
/// warning is about that.
#[derive(Debug, Default)]
struct GivenWarnings(Mutex<BTreeSet<(ScraperId, u64)>>);

impl GivenWarnings {
    /// Returns `true` if the warning is to be given, which it is from now on.
    fn give(&self, scraper: ScraperId, target: u64) -> bool {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.len() < MAX_WARNINGS && given.insert((scraper, target))
    }
}

impl ScraperWarnings {
    /// Warns that a scraper scrapes less often than the user has set.
    pub(super) fn warn_of_slow_scraper(
        &self,
        scraper: ScraperId,
        server: PeerAddress,
        interval: Duration,
    ) {
        if self.slow.give(scraper, 0) {
            tracing::warn!(
                %server,
                interval_seconds = log_seconds(interval),
                "a server scrapes less often than --metrics.scrape-interval says and may miss the first event of a series; set it to the longest interval in use, or to auto"
            );
        }
    }

    /// Warns that a scraper calls the exporter by another name than before. A scraper that
    /// uses several names in turn has each of them named once.
    pub(super) fn warn_of_other_name(
        &self,
        scrape: &Scrape,
        server: PeerAddress,
        host: &str,
        now: Timestamp,
    ) {
        if self.renamed.give(scrape.scraper, scrape.target) {
            tracing::warn!(
                %server,
                host,
                "a server scrapes this exporter under another name than before; if its label instance has changed with the name, new series have begun, and increase() does not join them with the old ones: set instance by relabelling to a name that stays"
            );
            *self.lock_last_rename() = Some(now);
        }
    }

    /// Warns that several servers are one scraper for the exporter.
    pub(super) fn warn_of_pool(&self, scraper: ScraperId, server: PeerAddress) {
        if self.pooled.give(scraper, 0) {
            tracing::warn!(
                %server,
                "several servers seem to scrape through this address and cannot be told apart; set --metrics.scrape-interval to the longest scrape interval among them, or let the proxy send X-Forwarded-For"
            );
        }
    }

    /// Warns that a scraper is back after another one has taken its place.
    pub(super) fn warn_of_return(&self, scraper: ScraperId, server: PeerAddress) {
        if self.returned.give(scraper, 0) {
            tracing::warn!(
                %server,
                "a server is back that stayed away while another one with the same product began to scrape, and was taken for gone; it may have missed events that were shown meanwhile"
            );
        }
    }

    /// Returns the time at which the log last named a scraper that calls the exporter by
    /// another name; `None` if none does.
    pub(super) fn last_rename(&self) -> Option<Timestamp> {
        *self.lock_last_rename()
    }

    fn lock_last_rename(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.last_rename
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_given_once_for_each_scraper_and_target_and_64_times_at_most() {
        let warnings = GivenWarnings::default();
        assert!(warnings.give(ScraperId(1), 1));
        assert!(!warnings.give(ScraperId(1), 1));
        assert!(warnings.give(ScraperId(1), 2) && warnings.give(ScraperId(2), 1));
        let more = (0..1000).filter(|target| warnings.give(ScraperId(3), *target));
        assert_eq!(more.count(), MAX_WARNINGS - 3);
    }

    #[test]
    fn the_last_rename_is_the_last_that_was_named() {
        let warnings = ScraperWarnings::default();
        let rename = |target, second| {
            let scrape = Scrape {
                scraper: ScraperId(1),
                product: 1,
                target,
                connection: 1,
                timeout: Duration::ZERO,
            };
            let now = Timestamp::from_second(second).expect("a time");
            warnings.warn_of_other_name(&scrape, PeerAddress::UnixSocket, "a:1", now);
            warnings.last_rename().map(Timestamp::as_second)
        };
        assert_eq!(warnings.last_rename(), None);
        assert_eq!(rename(1, 10), Some(10));
        assert_eq!(rename(2, 20), Some(20));
        // A scraper with two names uses them in turn.
        assert_eq!(rename(1, 30), Some(20));
        assert_eq!(rename(3, 40), Some(40));
    }
}
