//! Where the API is, and whether a secret may be sent there.

use std::net::IpAddr;

use reqwest::Url;

/// The base URL of the API, checked: `https`, or `http` where that was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a URL is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL.
    #[error("is no URL ({0}); write it like https://api.nexmo.com/beta/audit")]
    NoUrl(String),
    /// Something like `ftp:`.
    #[error("has the scheme {0:?}; only https (and http to loopback) is known")]
    Scheme(String),
    /// Plain `http` beyond this machine.
    #[error(
        "is plain http to {0}, which would show the API secret to the network; use https, or allow it with --api.allow-http"
    )]
    PlainHttp(String),
    /// User, password, query or fragment.
    #[error(
        "must not hold a user, a password, a query or a fragment; the key and the secret come from the environment or a file"
    )]
    Extra,
}

impl BaseUrl {
    /// Takes a URL whose origin may be shown the secret.
    ///
    /// # Errors
    /// [`BaseUrlError`], which never quotes a password.
    pub fn new(text: &str, allow_http: bool) -> Result<Self, BaseUrlError> {
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
        let base_url = Self(url);
        if base_url.is_plain_http() && !allow_http && !base_url.is_loopback() {
            let host = base_url.0.host_str().unwrap_or_default();
            return Err(BaseUrlError::PlainHttp(host.to_owned()));
        }
        Ok(base_url)
    }

    /// As it is written in logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn is_plain_http(&self) -> bool {
        self.0.scheme() == "http"
    }

    /// The URL of something below the base, each part encoded.
    pub(super) fn join(&self, parts: &[&str]) -> Url {
        let mut url = self.0.clone();
        // Only a URL that cannot be a base has no path to extend; http(s) can.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// `localhost` counts: no resolver may send it elsewhere (RFC 6761).
    fn is_loopback(&self) -> bool {
        let Some(host) = self.0.host_str() else {
            return false;
        };
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
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
            assert_eq!(BaseUrl::new(text, false).map(|_| ()), expected, "{text}");
        }
        assert!(BaseUrl::new("http://10.0.0.1/", true).is_ok());
        assert!(matches!(
            BaseUrl::new("api.nexmo.com", false),
            Err(BaseUrlError::NoUrl(_))
        ));
        assert!(matches!(
            BaseUrl::new("", false),
            Err(BaseUrlError::NoUrl(_))
        ));
    }

    #[test]
    fn an_id_cannot_leave_the_base() {
        let base = BaseUrl::new("https://api.nexmo.com/beta/audit/", false).expect("a URL");
        let cases = [
            ("a", "https://api.nexmo.com/beta/audit/events/a"),
            (
                "../../x",
                "https://api.nexmo.com/beta/audit/events/..%2F..%2Fx",
            ),
            ("a?b#c", "https://api.nexmo.com/beta/audit/events/a%3Fb%23c"),
        ];
        for (id, expected) in cases {
            assert_eq!(base.join(&["events", id]).as_str(), expected);
        }
    }
}
