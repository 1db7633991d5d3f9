//! What a proxy says of a request in `Forwarded` (RFC 7239) or `X-Forwarded-*`.
//!
//! Any client can write these headers. The client that they name tells scrapers apart that
//! share the address of a proxy; the address that they name goes into the landing page, to
//! the one who sent them. They decide nothing else.

use std::net::{IpAddr, Ipv6Addr};

use hyper::{HeaderMap, header::FORWARDED};
use xxhash_rust::xxh3::Xxh3;

const X_FORWARDED_FOR: &str = "x-forwarded-for";
/// The longest part of a header that is read, in bytes: that of a dozen proxies.
const MAX_READ: usize = 512;
/// The longest name of a client, in bytes, that tells it apart.
const MAX_NAME: usize = 64;

/// The client that a proxy names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ForwardedClient<'h> {
    /// The client has this address.
    Address(IpAddr),
    /// The proxy hides the address behind this name.
    Name(&'h str),
}

impl<'h> ForwardedClient<'h> {
    /// Returns the first client of `Forwarded`, or else of `X-Forwarded-For`; `None` if no
    /// header names one.
    pub(super) fn first(headers: &'h HeaderMap) -> Option<Self> {
        let forwarded = values(headers, FORWARDED.as_str());
        let mut named = forwarded.flat_map(|value| split(value, ',').filter_map(of_element));
        named.next().or_else(|| {
            let lists = values(headers, X_FORWARDED_FOR);
            let mut named = lists.flat_map(|value| value.split(',').filter_map(of_node));
            named.next()
        })
    }

    /// Adds the client to the hash by which a scraper is known.
    pub(super) fn update(self, hash: &mut Xxh3) {
        match self {
            Self::Address(IpAddr::V4(address)) => hash.update(&address.octets()),
            Self::Address(IpAddr::V6(address)) => hash.update(&address.octets()),
            Self::Name(name) => hash.update(name.as_bytes()),
        }
    }
}

/// Returns the value that the first proxy gives to a parameter of `Forwarded`, such as
/// `host`, or else to `x_header`, such as `x-forwarded-host`; `None` if no header has one.
pub(super) fn first<'h>(
    headers: &'h HeaderMap,
    parameter: &str,
    x_header: &'static str,
) -> Option<&'h str> {
    let forwarded = values(headers, FORWARDED.as_str());
    let mut elements = forwarded.flat_map(|value| split(value, ','));
    let named = elements.find_map(|element| of_parameter(element, parameter));
    named.or_else(|| x_list(headers, x_header).next())
}

/// Returns the values that proxies give to a header such as `x-forwarded-prefix`, that of the
/// first proxy first.
pub(super) fn x_list<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> impl Iterator<Item = &'h str> {
    let lists = values(headers, name);
    let named = lists.flat_map(|value| value.split(',').map(str::trim));
    named.filter(|value| !value.is_empty())
}

/// Returns the values of a header that are text, as far as they are read.
fn values<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h str> {
    let values = headers.get_all(name).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    // A header value that is text is ASCII, so that each byte is a character.
    values.map(|value| value.get(..MAX_READ).unwrap_or(value))
}

/// Splits a text at a separator outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |character| {
        let is_separator = character == separator && !is_quoted;
        is_quoted ^= character == '"' && !is_escaped;
        is_escaped = is_quoted && character == '\\' && !is_escaped;
        is_separator
    })
}

/// Returns the client of an element such as `for="[2001:db8::1]:4711";proto=http`.
fn of_element(element: &str) -> Option<ForwardedClient<'_>> {
    of_node(of_parameter(element, "for")?)
}

/// Returns the value of a parameter without quotes; `None` if it is empty.
fn of_parameter<'h>(element: &'h str, parameter: &str) -> Option<&'h str> {
    let mut pairs = split(element, ';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(parameter))?;
    let value = value.trim().trim_matches('"');
    (!value.is_empty()).then_some(value)
}

/// Returns the client of a node, with or without quotes and a port.
fn of_node(node: &str) -> Option<ForwardedClient<'_>> {
    let node = node.trim().trim_matches('"');
    let name = without_port(node);
    if name.is_empty() || name.eq_ignore_ascii_case("unknown") {
        return None;
    }
    let address = name.parse::<IpAddr>().map(|address| address.to_canonical());
    Some(match address {
        Ok(address) => ForwardedClient::Address(address),
        Err(_) => ForwardedClient::Name(name.get(..MAX_NAME).unwrap_or(name)),
    })
}

fn without_port(node: &str) -> &str {
    if let Some((address, _)) = node.strip_prefix('[').and_then(|node| node.split_once(']')) {
        return address;
    }
    // An IPv6 address without brackets has no port.
    if node.parse::<Ipv6Addr>().is_ok() {
        return node;
    }
    node.split_once(':').map_or(node, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let value = HeaderValue::from_bytes(value).expect("a value");
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }

    #[test]
    fn the_first_client_that_is_named_counts() {
        let is = |header: &'static str, value: &str, expected: Option<&str>| {
            let headers = headers(&[(header, value.as_bytes())]);
            let expected = expected.map(|text| match text.parse() {
                Ok(address) => ForwardedClient::Address(address),
                Err(_) => ForwardedClient::Name(text),
            });
            let found = ForwardedClient::first(&headers);
            assert_eq!(found, expected, "{header}: {value}");
        };
        for (value, expected) in [
            ("for=192.0.2.43", Some("192.0.2.43")),
            ("For=192.0.2.43:47011", Some("192.0.2.43")),
            ("for=\"192.0.2.43:47011\"", Some("192.0.2.43")),
            (
                "for=\"[2001:db8:cafe::17]:4711\"",
                Some("2001:db8:cafe::17"),
            ),
            ("for=\"[2001:DB8:cafe:0::17]\"", Some("2001:db8:cafe::17")),
            ("for=\"[::ffff:192.0.2.43]\"", Some("192.0.2.43")),
            ("for=192.0.2.43, for=198.51.100.17", Some("192.0.2.43")),
            (
                "proto=http; for = 192.0.2.43 ;by=203.0.113.43",
                Some("192.0.2.43"),
            ),
            (
                "host=\"a,b;for=1.1.1.1\";for=192.0.2.43",
                Some("192.0.2.43"),
            ),
            ("host=\"a\\\",b\";for=192.0.2.43", Some("192.0.2.43")),
            ("for=unknown, for=192.0.2.43", Some("192.0.2.43")),
            ("for=_gazonk", Some("_gazonk")),
            ("for=_gazonk:_port", Some("_gazonk")),
            ("for=unknown", None),
            ("for=\"\"", None),
            ("for=", None),
            ("proto=https", None),
            ("", None),
        ] {
            is("forwarded", value, expected);
        }
        for (value, expected) in [
            ("192.0.2.43", Some("192.0.2.43")),
            ("192.0.2.43, 198.51.100.17", Some("192.0.2.43")),
            (" 192.0.2.43:4711 ,198.51.100.17", Some("192.0.2.43")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]:4711, 10.0.0.1", Some("2001:db8::1")),
            ("unknown, 192.0.2.43", Some("192.0.2.43")),
            (",,", None),
        ] {
            is("x-forwarded-for", value, expected);
        }
    }

    #[test]
    fn forwarded_comes_before_x_forwarded_for() {
        let both: &[(&'static str, &[u8])] = &[
            ("x-forwarded-for", b"198.51.100.17"),
            ("forwarded", b"for=unknown"),
            ("forwarded", b"for=192.0.2.43"),
        ];
        let address = |text: &str| text.parse().ok().map(ForwardedClient::Address);
        assert_eq!(
            ForwardedClient::first(&headers(both)),
            address("192.0.2.43")
        );
        assert_eq!(
            ForwardedClient::first(&headers(&both[..2])),
            address("198.51.100.17")
        );
    }

    #[test]
    fn only_so_much_is_read() {
        let far = format!("{}192.0.2.43", " ".repeat(MAX_READ));
        assert_eq!(
            ForwardedClient::first(&headers(&[("x-forwarded-for", far.as_bytes())])),
            None
        );
        let long = "n".repeat(MAX_READ * 2);
        let headers = headers(&[("x-forwarded-for", long.as_bytes())]);
        let name = ForwardedClient::Name(&long[..MAX_NAME]);
        assert_eq!(ForwardedClient::first(&headers), Some(name));
    }

    proptest! {
        #[test]
        fn no_header_is_too_strange(
            forwarded in prop::collection::vec(0x20_u8..=0xff, 0..700),
            syntax in "[a-f:;,=\"\\\\\\[\\]. \t]{0,200}",
        ) {
            for value in [forwarded.as_slice(), syntax.as_bytes()] {
                let Ok(value) = HeaderValue::from_bytes(value) else { continue };
                for name in ["forwarded", "x-forwarded-for"] {
                    let mut headers = HeaderMap::new();
                    headers.insert(HeaderName::from_static(name), value.clone());
                    if let Some(client) = ForwardedClient::first(&headers) {
                        client.update(&mut Xxh3::new());
                    }
                }
            }
        }
    }
}
