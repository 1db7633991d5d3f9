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
}

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
    Ok(url)
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
        use BaseUrlError::{Extra, PlainHttp, Scheme};
        let plain = |host: &str| Err(PlainHttp(host.into()));
        let cases = [
            ("https://api.nexmo.com/beta/audit", Ok(())),
            ("https://api.nexmo.com", Ok(())),
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
}
