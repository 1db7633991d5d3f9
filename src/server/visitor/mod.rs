//! Tells a scraper from a person, and from another scraper.

use audit_core::gate::{Scrape, ScraperId};
use exporter_web::{Peer, PeerAddress, scrape_time_limit};
use hyper::{
    HeaderMap,
    header::{HOST, HeaderValue, USER_AGENT},
    http::request,
};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{accept::names_format, browser::is_from_another_site, forwarded::ForwardedClient};

/// The products whose scrapes name neither a time limit nor a format: they ask for
/// `text/plain`, as a person may.
const PLAIN_SCRAPERS: [&str; 2] = ["Vector", "Datadog"];
/// The longest name of a product, in bytes, that tells it apart.
const MAX_PRODUCT: usize = 64;
/// The longest name of the exporter, in bytes, that tells it apart: the longest name of a
/// host, and a port.
const MAX_TARGET: usize = 255 + 6;

/// A request that is a scrape.
#[derive(Debug, Clone)]
pub(super) struct ScrapeRequest {
    /// The scrape, as the gate records it.
    pub(super) scrape: Scrape,
    /// The address of the connection.
    pub(super) server: PeerAddress,
    /// The name by which the scraper calls the exporter, with the port if there is one.
    target: Option<HeaderValue>,
}

/// The client of one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor {
    address: PeerAddress,
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

impl ScrapeRequest {
    /// Returns the name by which the scraper calls the exporter, for the log.
    pub(super) fn host(&self) -> &str {
        let target = self.target.as_ref();
        let text = target.and_then(|target| target.to_str().ok()).unwrap_or("");
        // A whole URI may hold a password before the name.
        let name = text.rsplit('@').next().unwrap_or(text);
        name.get(..MAX_TARGET).unwrap_or(name)
    }
}

impl Visitor {
    /// Returns the scrape that a request is; `None` if the client is not a scraper. A
    /// scraper states a time limit, names a format of metrics, or is known by its product.
    /// A page of another site can have a browser name such a format, and is no scraper.
    pub(super) fn scrape(&self, request: &request::Parts) -> Option<ScrapeRequest> {
        let headers = &request.headers;
        if is_from_another_site(headers) {
            return None;
        }
        let product = product(headers);
        let timeout = scrape_time_limit(headers);
        let is_scraper = timeout.is_some() || is_plain_scraper(product) || names_format(headers);
        if !is_scraper {
            return None;
        }
        let target = target(request);
        let scrape = Scrape {
            scraper: self.scraper(headers, product),
            product: xxh3_64(product),
            target: target.as_ref().map_or(0, hash_of_target),
            connection: self.connection,
            timeout: timeout.unwrap_or_default(),
        };
        Some(ScrapeRequest {
            scrape,
            server: self.address,
            target,
        })
    }

    /// Returns the identity of the scraper that sent these headers. The identity is
    /// stored, so the rule may not change.
    ///
    /// The address of the connection is a part of it beside that which a proxy names, so
    /// that no client can pass for a scraper with another address.
    fn scraper(&self, headers: &HeaderMap, product: &[u8]) -> ScraperId {
        let mut hash = Xxh3::new();
        match self.address {
            PeerAddress::Ip(address) => ForwardedClient::Address(address).update(&mut hash),
            // Longer than one kind of address and shorter than the other.
            PeerAddress::UnixSocket => hash.update(b"unix socket"),
        }
        hash.update(product);
        if let Some(client) = ForwardedClient::first(headers) {
            hash.update(b"\0");
            client.update(&mut hash);
        }
        ScraperId(hash.digest())
    }
}

/// Returns the name by which a request calls the exporter, with the port if there is one;
/// `None` if it has none.
fn target(request: &request::Parts) -> Option<HeaderValue> {
    // RFC 9112, section 3.2.2: a request with a whole URI overrules the header.
    let authority = request.uri.authority();
    let authority = authority.and_then(|name| HeaderValue::from_str(name.as_str()).ok());
    let target = authority.or_else(|| request.headers.get(HOST).cloned())?;
    (!target.is_empty()).then_some(target)
}

/// Returns a hash that is never 0, and the same for both cases of a letter.
fn hash_of_target(target: &HeaderValue) -> u64 {
    let mut hash = Xxh3::new();
    for byte in target.as_bytes().iter().take(MAX_TARGET) {
        hash.update(&[byte.to_ascii_lowercase()]);
    }
    hash.digest().max(1)
}

/// Returns the first product of the user agent without its version: `Prometheus` of
/// `Prometheus/3.5.0`. An upgrade of a server leaves it as it is.
fn product(headers: &HeaderMap) -> &[u8] {
    let agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes);
    let agent = agent.unwrap_or_default().trim_ascii_start();
    let is_part = |byte: &u8| !matches!(byte, b'/' | b'(' | b' ' | b'\t');
    let length = agent
        .iter()
        .take(MAX_PRODUCT)
        .take_while(|byte| is_part(byte));
    &agent[..length.count()]
}

fn is_plain_scraper(product: &[u8]) -> bool {
    let mut known = PLAIN_SCRAPERS.iter();
    known.any(|known| product.eq_ignore_ascii_case(known.as_bytes()))
}

#[cfg(test)]
mod tests;
