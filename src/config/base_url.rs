//! The URL of the API, and whether the secret may be sent there.

use url::{Host, Url};

/// The reason why a URL is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BaseUrlError {
    /// The text is not a URL.
    #[error("is not a URL ({0}); write it like https://api.nexmo.com/beta/audit")]
    NoUrl(String),
    /// The scheme is neither `https` nor `http`.
    #[error("has the scheme {0:?}; use https, or http for loopback")]
    Scheme(String),
    /// The scheme is `http`, and the host is not this machine.
    #[error(
        "is plain http to {0}, which would show the API secret to the network; use https, or allow it with --api.allow-http"
    )]
    PlainHttp(String),
    /// The URL has a user, a password, a query or a fragment.
    #[error(
        "must not hold a user, a password, a query or a fragment; the key and the secret come from the environment or a file"
    )]
    Extra,
    /// The path ends with that of the list.
    #[error("ends with /events, which the exporter adds by itself; write it like {VENDOR_URL}")]
    Events,
    /// The host is the vendor's, and there is no path.
    #[error("has no path; write it like {VENDOR_URL}")]
    NoPath,
}

/// The base URL of the vendor's API.
const VENDOR_URL: &str = "https://api.nexmo.com/beta/audit";
const VENDOR_HOST: &str = "api.nexmo.com";
const VENDOR_PATH: &str = "/beta/audit";

/// Parses a URL to which the secret may be sent.
///
/// # Errors
/// [`BaseUrlError`], which never quotes a password.
pub(super) fn parse_base_url(text: &str, allow_http: bool) -> Result<Url, BaseUrlError> {
    let url = Url::parse(text).map_err(|error| BaseUrlError::NoUrl(error.to_string()))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(BaseUrlError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(BaseUrlError::Extra);
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        let host = url.host_str().unwrap_or_default();
        return Err(BaseUrlError::PlainHttp(host.to_owned()));
    }
    let path = url.path().trim_end_matches('/');
    if path.ends_with("/events") {
        return Err(BaseUrlError::Events);
    }
    if path.is_empty() && url.host_str() == Some(VENDOR_HOST) {
        return Err(BaseUrlError::NoPath);
    }
    Ok(url)
}

/// Returns what is probably wrong with a URL that can be used. The text follows the name of
/// the setting.
pub(super) fn doubt(url: &Url) -> Option<String> {
    let path = url.path().trim_end_matches('/');
    let is_vendor = url.host_str() == Some(VENDOR_HOST);
    if path.is_empty() {
        Some(format!(
            "has no path, so that requests go to /events; the URL of the vendor is {VENDOR_URL}"
        ))
    } else if is_vendor && path != VENDOR_PATH {
        Some(format!(
            "has the path {path}; the URL of the vendor is {VENDOR_URL}"
        ))
    } else {
        None
    }
}

/// Returns `true` for this machine. `localhost` counts, since no resolver may send it
/// elsewhere (RFC 6761).
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_shown_the_secret() {
        use BaseUrlError::{Events, Extra, NoPath, PlainHttp, Scheme};
        let plain = |host: &str| Err(PlainHttp(host.into()));
        let cases = [
            ("https://api.nexmo.com/beta/audit", Ok(())),
            ("https://api.nexmo.com/beta/audit/", Ok(())),
            ("https://example.com", Ok(())),
            ("http://127.0.0.1:8080/beta/audit", Ok(())),
            ("http://127.9.9.9", Ok(())),
            ("http://[::1]:8080/x", Ok(())),
            ("http://localhost:1/x", Ok(())),
            ("HTTP://LOCALHOST/x", Ok(())),
            ("http://api.nexmo.com/beta/audit", plain("api.nexmo.com")),
            (
                "http://localhost.example.com/",
                plain("localhost.example.com"),
            ),
            ("http://10.0.0.1/", plain("10.0.0.1")),
            ("http://[::ffff:127.0.0.1]/", plain("[::ffff:7f00:1]")),
            ("ftp://127.0.0.1/", Err(Scheme("ftp".into()))),
            ("https://key:hunter2@api.nexmo.com/", Err(Extra)),
            ("https://api.nexmo.com/?a=b", Err(Extra)),
            ("https://api.nexmo.com/#a", Err(Extra)),
            ("https://api.nexmo.com/beta/audit/events", Err(Events)),
            ("http://127.0.0.1:1/events/", Err(Events)),
            ("https://api.nexmo.com", Err(NoPath)),
            ("https://API.nexmo.com//", Err(NoPath)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_base_url(text, false).map(|_| ()), expected, "{text}");
        }
        assert!(parse_base_url("http://10.0.0.1/", true).is_ok());
        assert!(matches!(
            parse_base_url("api.nexmo.com", false),
            Err(BaseUrlError::NoUrl(_))
        ));
        assert!(matches!(
            parse_base_url("", false),
            Err(BaseUrlError::NoUrl(_))
        ));
    }

    #[test]
    fn what_is_probably_wrong() {
        let cases = [
            ("https://api.nexmo.com/beta/audit", None),
            ("https://api.nexmo.com/beta/audit/", None),
            ("https://example.com/audit", None),
            ("https://api.nexmo.com/beta", Some("has the path /beta;")),
            (
                "https://api.nexmo.com/beta//audit",
                Some("has the path /beta//audit;"),
            ),
            ("https://example.com", Some("has no path,")),
        ];
        for (text, expected) in cases {
            let doubt = doubt(&Url::parse(text).expect("a URL"));
            let begins = |expected| {
                doubt
                    .as_ref()
                    .is_some_and(|doubt| doubt.starts_with(expected))
            };
            assert_eq!(expected.is_some(), doubt.is_some(), "{text}");
            assert!(expected.is_none_or(begins), "{text}: {doubt:?}");
        }
    }
}
