//! The address by which a client calls the exporter, also through proxies, for the links and
//! the scrape example of the landing page.
//!
//! All of it is what the client itself has sent. It is checked character by character, since
//! it goes into HTML and YAML.

use exporter_web::PeerAddress;
use hyper::{
    HeaderMap,
    header::HOST,
    http::{request, uri::Authority},
};

use super::forwarded;

/// The longest name of a host with its port, and the longest prefix, in bytes.
const MAX_LENGTH: usize = 255;
/// The name by which the exporter is called where the client names none that can be used.
const UNKNOWN_HOST: &str = "localhost:10610";

/// The address by which a client calls the exporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnAddress {
    /// `true` for `https`.
    pub(super) is_https: bool,
    /// The name or the address, with the port if there is one.
    pub(super) host: String,
    /// The path that a proxy puts before all paths, such as `/audit`; empty for none.
    pub(super) prefix: String,
    /// `true` if a proxy has named a part of the address.
    pub(super) is_proxied: bool,
    /// `true` if the client has connected to a unix socket, so that the address is no more
    /// than the name that the client gives to it.
    pub(super) is_unix_socket: bool,
}

impl OwnAddress {
    /// Returns the address that a request of `peer` names. `is_tls` says how the exporter
    /// itself is asked.
    pub(super) fn of(request: &request::Parts, peer: PeerAddress, is_tls: bool) -> Self {
        let headers = &request.headers;
        let scheme = forwarded::first(headers, "proto", "x-forwarded-proto");
        let forwarded_host = forwarded::first(headers, "host", "x-forwarded-host");
        let forwarded_host = forwarded_host.filter(|host| is_host(host));
        let prefix = prefix(headers);
        let is_https = scheme.map_or(is_tls, |scheme| scheme.eq_ignore_ascii_case("https"));
        // RFC 9112, section 3.2.2: a request with a whole URI overrules the header.
        let authority = request.uri.authority().map(Authority::as_str);
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = authority.or(host).filter(|host| is_host(host));
        let is_proxied = scheme.is_some() || forwarded_host.is_some() || !prefix.is_empty();
        Self {
            is_https,
            host: forwarded_host.or(host).unwrap_or(UNKNOWN_HOST).to_owned(),
            prefix,
            is_proxied,
            is_unix_socket: peer == PeerAddress::UnixSocket,
        }
    }

    /// Returns the address of a path, which begins with `/`, for a link of the landing page.
    /// If no proxy names a prefix, the link is relative to the page.
    pub(super) fn link(&self, path: &str) -> String {
        if self.prefix.is_empty() {
            format!(".{path}")
        } else {
            format!("{}{path}", self.prefix)
        }
    }
}

/// Returns `true` for a name or an address, with or without a port.
fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !text.is_empty() && text.len() <= MAX_LENGTH && text.bytes().all(plain)
}

/// Returns the prefix that all proxies together put before the path; empty for none. It
/// begins with exactly one `/`, so that it leads to no other host.
fn prefix(headers: &HeaderMap) -> String {
    let mut whole = String::new();
    for prefix in forwarded::x_list(headers, "x-forwarded-prefix") {
        let prefix = prefix.trim_end_matches('/');
        if prefix.is_empty() {
            continue;
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-_~%".contains(&byte);
        if !prefix.starts_with('/') || prefix.contains("//") || !prefix.bytes().all(plain) {
            return String::new();
        }
        whole.push_str(prefix);
    }
    if whole.len() > MAX_LENGTH {
        return String::new();
    }
    whole
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn called_by(headers: &[(&str, &str)], is_tls: bool) -> OwnAddress {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        OwnAddress::of(&parts, PeerAddress::UnixSocket, is_tls)
    }

    #[test]
    fn the_host_is_that_of_the_request() {
        for (host, expected) in [
            ("audit.example", "audit.example"),
            ("[::1]:10610", "[::1]:10610"),
            ("", UNKNOWN_HOST),
            ("a\"] - x", UNKNOWN_HOST),
        ] {
            let address = called_by(&[("Host", host)], true);
            assert_eq!(address.host, expected);
            assert!(address.is_https && !address.is_proxied);
        }
        assert_eq!(called_by(&[], false).host, UNKNOWN_HOST);
        let (parts, ()) = Request::builder()
            .uri("http://whole.example:1/")
            .header("Host", "other")
            .body(())
            .expect("a request")
            .into_parts();
        assert_eq!(
            OwnAddress::of(&parts, PeerAddress::UnixSocket, false).host,
            "whole.example:1"
        );
    }

    #[test]
    fn a_proxy_names_scheme_host_and_prefix() {
        let is = |headers: &[(&str, &str)], expected: (bool, &str, &str)| {
            let headers = [&[("Host", "inner:1")], headers].concat();
            let address = called_by(&headers, false);
            let found = (address.is_https, &*address.host, &*address.prefix);
            assert_eq!(found, expected, "{headers:?}");
            assert_eq!(address.is_proxied, expected != (false, "inner:1", ""));
        };
        let all = [
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "outer.example"),
            ("X-Forwarded-Prefix", "/audit"),
        ];
        is(&all, (true, "outer.example", "/audit"));
        is(
            &[("X-Forwarded-Proto", "HTTPS, http")],
            (true, "inner:1", ""),
        );
        is(
            &[("Forwarded", "for=_a;proto=https;host=\"o:2\"")],
            (true, "o:2", ""),
        );
        is(
            &[("X-Forwarded-Prefix", "/a/, /b/")],
            (false, "inner:1", "/a/b"),
        );
        for wrong in [
            "//evil.example",
            "audit",
            "/a\"><b",
            "/a b",
            "/",
            "/a//b",
            "/a, javascript:",
        ] {
            is(&[("X-Forwarded-Prefix", wrong)], (false, "inner:1", ""));
        }
        is(&[("X-Forwarded-Host", "a\"b")], (false, "inner:1", ""));
        let long = format!("/{}", "a".repeat(MAX_LENGTH));
        is(&[("X-Forwarded-Prefix", &long)], (false, "inner:1", ""));
    }

    #[test]
    fn a_link_is_relative_unless_a_proxy_names_a_prefix() {
        let direct = called_by(&[], false);
        assert_eq!(direct.link("/metrics"), "./metrics");
        assert_eq!(direct.link("/-/ready"), "./-/ready");
        let proxied = called_by(&[("X-Forwarded-Prefix", "/audit/")], false);
        assert_eq!(proxied.link("/metrics"), "/audit/metrics");
    }
}
