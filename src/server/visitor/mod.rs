//! Tells a scraper from a person, and from another scraper.

use std::{net::IpAddr, time::Duration};

use audit_core::gate::{Scrape, ScraperId};
use exporter_web::Peer;
use hyper::{HeaderMap, header::USER_AGENT};
use xxhash_rust::xxh3::Xxh3;

/// The header with the time limit of a scrape, in seconds. Prometheus, its agents and
/// VictoriaMetrics send it with every scrape, and no other client does.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

/// The client of one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor {
    address: IpAddr,
    connection: u64,
}

impl From<Peer> for Visitor {
    fn from(peer: Peer) -> Self {
        Self {
            address: peer.address(),
            connection: peer.connection(),
        }
    }
}

impl Visitor {
    /// Returns the scrape that a request with these headers is; `None` if the client is
    /// not a scraper.
    pub(super) fn scrape(&self, headers: &HeaderMap) -> Option<Scrape> {
        let timeout = headers.get(SCRAPE_TIMEOUT)?;
        let seconds = timeout.to_str().ok().and_then(|text| text.parse().ok());
        let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Some(Scrape {
            scraper: self.scraper(headers),
            product: 0,
            target: 0,
            connection: self.connection,
            timeout: timeout.unwrap_or_default(),
        })
    }

    /// Returns the identity of the scraper that sent these headers. The identity is
    /// stored, so the rule may not change.
    fn scraper(&self, headers: &HeaderMap) -> ScraperId {
        let mut hash = Xxh3::new();
        hash.update(self.address.to_string().as_bytes());
        hash.update(b"\0");
        if let Some(agent) = headers.get(USER_AGENT) {
            hash.update(agent.as_bytes());
        }
        ScraperId(hash.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(address: &str, headers: &[(&'static str, &'static str)]) -> Option<Scrape> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().expect("a value"));
        }
        Visitor::from(Peer::new(address.parse().expect("an address"))).scrape(&map)
    }

    #[test]
    fn a_scraper_is_known_by_its_header_its_address_and_its_agent() {
        let agent = |agent| [(SCRAPE_TIMEOUT, "9.5"), ("user-agent", agent)];
        let first = visit("10.0.0.1", &agent("Prometheus/3.5.0")).expect("a scraper");
        let same = visit("::ffff:10.0.0.1", &agent("Prometheus/3.5.0")).expect("a scraper");
        let other_agent = visit("10.0.0.1", &agent("vm_promscrape")).expect("a scraper");
        let other_address = visit("10.0.0.2", &agent("Prometheus/3.5.0")).expect("a scraper");
        assert_eq!(first.timeout, Duration::from_millis(9500));
        assert_eq!(first.scraper, same.scraper);
        assert_ne!(first.connection, same.connection);
        assert_ne!(first.scraper, other_agent.scraper);
        assert_ne!(first.scraper, other_address.scraper);
        assert_eq!(visit("10.0.0.1", &[("user-agent", "curl/8")]), None);
    }

    #[test]
    fn a_time_limit_that_cannot_be_read_is_none() {
        for text in ["", "soon", "-1", "NaN", "1e999"] {
            let visit = visit("10.0.0.1", &[(SCRAPE_TIMEOUT, text)]).expect("a scraper");
            assert_eq!(visit.timeout, Duration::ZERO, "{text:?}");
        }
    }
}
