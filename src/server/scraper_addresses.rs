//! The addresses of the scrapers, for the log.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use audit_core::gate::ScraperId;
use exporter_web::PeerAddress;

/// The highest number of scrapers whose addresses are known, more than any installation
/// has.
const MAX_ADDRESSES: usize = 64;

/// The address of each scraper that this process has seen.
#[derive(Debug, Default)]
pub(super) struct ScraperAddresses(Mutex<BTreeMap<ScraperId, PeerAddress>>);

impl ScraperAddresses {
    /// Records the address of a scraper. If there is no room for it, all others are
    /// forgotten: those that keep coming are soon known again.
    pub(super) fn record(&self, scraper: ScraperId, address: PeerAddress) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains_key(&scraper) {
            return;
        }
        if known.len() >= MAX_ADDRESSES {
            known.clear();
        }
        known.insert(scraper, address);
    }

    /// Returns the address of a scraper; `None` if it is not known.
    pub(super) fn get(&self, scraper: ScraperId) -> Option<PeerAddress> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&scraper).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_64_scrapers_are_known() {
        let addresses = ScraperAddresses::default();
        let address = PeerAddress::UnixSocket;
        let known = || (0..200).filter(|scraper| addresses.get(ScraperId(*scraper)).is_some());
        for scraper in (0..64).chain(0..64) {
            addresses.record(ScraperId(scraper), address);
        }
        assert_eq!(known().collect::<Vec<_>>(), (0..64).collect::<Vec<_>>());
        addresses.record(ScraperId(64), address);
        assert_eq!(known().collect::<Vec<_>>(), [64]);
    }
}
