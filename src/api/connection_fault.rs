//! The reason why a connection failed, and what to do about it.

use std::{error::Error, io, iter};

use jiff::Timestamp;
use rustls::{CertificateError, Error as TlsError, pki_types::UnixTime};

/// What to do where the certificate of a server is not trusted.
const TRUST: &str = "if the server, or a proxy that reads TLS, has its certificate from a private certificate authority, let SSL_CERT_FILE name a file in PEM with the certificate of that authority";
const CLOCK: &str = "check the clock of this machine, or let the server have another certificate";
const OTHER_CERTIFICATE: &str = "let the server have another certificate";
const ADDRESS: &str = "check --api.base-url, DNS and proxy";
const PORT: &str = "check the port of --api.base-url";

/// A failed connection, in two parts of a sentence.
#[derive(Debug)]
pub(super) struct ConnectionFault {
    /// What happened.
    pub(super) cause: String,
    /// What to do.
    pub(super) advice: String,
    /// `true` if the fault may pass by itself. A certificate, or a server that speaks another
    /// protocol, does not change within the minute in which a request is sent again.
    pub(super) may_pass: bool,
}

impl ConnectionFault {
    /// Returns the fault that `error` is about. `proxy` is the variable that names the proxy
    /// on the way.
    pub(super) fn of(error: &reqwest::Error, proxy: Option<&str>) -> Self {
        let mut innermost: &dyn Error = error;
        for error in causes(error) {
            if let Some(tls) = tls_error(error) {
                return Self::of_tls(tls);
            }
            if error.downcast_ref().is_some_and(hyper::Error::is_parse) {
                let cause = "the answer of the server is no HTTP";
                let advice =
                    "check scheme and port of --api.base-url: the port may be one for https";
                return Self::lasting(cause, advice);
            }
            // The innermost cause is the one that a person can act on.
            innermost = error;
        }
        let advice = match proxy {
            Some(variable) => {
                format!("check the proxy of {variable}, --api.base-url, DNS and network")
            }
            None => "check --api.base-url, DNS, proxy and network".to_owned(),
        };
        Self {
            may_pass: true,
            ..Self::lasting(innermost.to_string(), advice)
        }
    }

    fn of_tls(error: &TlsError) -> Self {
        match error {
            TlsError::InvalidCertificate(error) => Self::of_certificate(error),
            TlsError::InvalidMessage(_) => {
                Self::lasting("the server does not speak TLS at this port", PORT)
            }
            TlsError::AlertReceived(alert) => Self::lasting(
                format!("the server refused the TLS connection with the alert {alert:?}"),
                "it may ask for a TLS version other than 1.2 and 1.3, for another name, or for a client certificate; check --api.base-url and proxy",
            ),
            other => Self::lasting(other.to_string(), ADDRESS),
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            // A signature is bad where an authority of the same name is known.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::lasting(
                "the certificate of the server is not trusted, since no certificate authority known here has issued it",
                TRUST,
            ),
            CertificateError::ExpiredContext { not_after, .. } => Self::lasting(
                format!(
                    "the certificate of the server has expired{}",
                    at(" at ", *not_after)
                ),
                CLOCK,
            ),
            CertificateError::NotValidYetContext { not_before, .. } => Self::lasting(
                format!(
                    "the certificate of the server is not valid yet{}",
                    at(", but from ", *not_before)
                ),
                CLOCK,
            ),
            CertificateError::NotValidForNameContext { expected, .. } => Self::lasting(
                format!(
                    "the certificate of the server is for another name than {}",
                    expected.to_str()
                ),
                ADDRESS,
            ),
            CertificateError::Other(other) if is_of_an_authority(other) => Self::lasting(
                "the certificate of the server is one of a certificate authority",
                "issue a certificate with CA:FALSE to the server, and let SSL_CERT_FILE name the file of the authority if that is a private one",
            ),
            other => Self::lasting(
                format!("the certificate of the server cannot be used: {other}"),
                OTHER_CERTIFICATE,
            ),
        }
    }

    fn lasting(cause: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            advice: advice.into(),
            may_pass: false,
        }
    }
}

/// Returns `true` if the server answered by TLS that it does not admit the client, as one does
/// that asks for a certificate.
///
/// In TLS 1.3 that answer follows the handshake. If it is there before hyper has sent the
/// request, hyper cancels the request, and the error does not hold the answer.
pub(crate) fn is_refused_by_tls(error: &reqwest::Error) -> bool {
    let has_tls = error.url().is_some_and(|url| url.scheme() == "https");
    let is_canceled = |error: &hyper::Error| error.is_canceled();
    has_tls
        && causes(error).any(|error| {
            error.downcast_ref().is_some_and(is_canceled)
                || matches!(tls_error(error), Some(TlsError::AlertReceived(_)))
        })
}

/// Returns an error and what caused it, the innermost cause last.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let error: &(dyn Error + 'static) = error;
    iter::successors(Some(error), |&error| error.source())
}

/// Returns the error of TLS that `error` is, or that an I/O error holds.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    if let Some(error) = error.downcast_ref() {
        return Some(error);
    }
    // The source of such an I/O error is that of the error within, which this would skip.
    let within = error.downcast_ref::<io::Error>()?.get_ref()?;
    tls_error(within)
}

/// `openssl req -x509` makes such a certificate unless it is told otherwise.
fn is_of_an_authority(other: &rustls::OtherError) -> bool {
    other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

/// Returns a time with the words before it, or nothing for one out of range.
fn at(words: &str, time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(String::new, |time| format!("{words}{time}"))
}
