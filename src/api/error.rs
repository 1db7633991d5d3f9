//! The errors of requests to the API.

use std::{error::Error, time::Duration};

use jiff::Timestamp;
use reqwest::{Response, StatusCode, header};

use super::{connection_fault::ConnectionFault, vendor_message::VendorMessage};
use crate::config::Credentials;

/// All values of the label `reason`.
pub const REASONS: &[&str] = &[
    "auth",
    "rate_limited",
    "status",
    "timeout",
    "transport",
    "body",
];

/// The error of a request without a usable answer. Of the body of an answer, it holds at
/// most the vendor's message, and of its head the trace id, without secrets and data: see
/// [`VendorMessage`].
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The API answered with 401 or 403.
    #[error(
        "the API rejected the key or the secret ({status}{message}); check {origins}, and that the account may use the Audit API"
    )]
    Auth {
        /// The HTTP status.
        status: u16,
        /// The message of the vendor.
        message: VendorMessage,
        /// The places that key and secret come from.
        origins: String,
    },
    /// The API answered with 429.
    #[error(
        "the API asks for fewer requests (429{message}); lower --api.max-requests-per-second or poll less often"
    )]
    RateLimited {
        /// The wait that the API asks for.
        retry_after: Option<Duration>,
        /// The message of the vendor.
        message: VendorMessage,
    },
    /// The API answered with any other status that is not a success.
    #[error("the API answered with status {status}{message}{}", advice(*.status))]
    Status {
        /// The HTTP status.
        status: u16,
        /// The wait that the API asks for, as it may with 503.
        retry_after: Option<Duration>,
        /// The message of the vendor.
        message: VendorMessage,
    },
    /// No complete answer arrived within the timeout.
    #[error("no complete answer arrived in time; check the network, or raise --api.timeout")]
    Timeout,
    /// No request could be sent within the timeout, since too many wait for their answers.
    #[error(
        "no request could be sent in time, since too many requests are not answered; check the network, or raise the limit of open files"
    )]
    NoFreeSlot,
    /// No connection could be made, or the connection broke.
    #[error("the connection failed ({cause}); {advice}")]
    Transport {
        /// What is wrong with the connection.
        cause: String,
        /// What to do about it.
        advice: String,
        /// `true` if the next connection may succeed although nothing is done about it.
        may_pass: bool,
    },
    /// The answer is complete, and is not what the API documents.
    #[error("{cause}; check that --api.base-url is an Audit API")]
    Body {
        /// The problem with the answer.
        cause: String,
    },
}

/// The error of a success whose body is empty although its status is not 204.
#[derive(Debug, thiserror::Error)]
#[error("the answer is empty")]
pub(super) struct Empty;

/// The error of a body that is larger than the limit.
#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than {} MiB", .limit / (1024 * 1024))]
pub(super) struct TooLarge {
    pub(super) limit: usize,
}

/// The error of a list whose pages do not end.
#[derive(Debug, thiserror::Error)]
#[error(
    "the pages of the list of events have no end, also for a single second: they go on beyond what the API claims, or repeat each other, as behind a proxy that ignores the parameters of a request"
)]
pub(crate) struct EndlessPages;

fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => {
            "; redirects are not followed, so that the secret goes nowhere else; check --api.base-url"
        }
        404 => "; check --api.base-url, which is https://api.nexmo.com/beta/audit for the vendor",
        500..=599 => "; the API has a fault and is asked again",
        _ => "",
    }
}

impl ApiError {
    /// Returns the value of the label `reason`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            ApiError::Auth { .. } => "auth",
            ApiError::RateLimited { .. } => "rate_limited",
            ApiError::Status { .. } => "status",
            ApiError::Timeout | ApiError::NoFreeSlot => "timeout",
            ApiError::Transport { .. } => "transport",
            ApiError::Body { .. } => "body",
        }
    }

    /// Returns `true` if the same request may succeed a little later.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            ApiError::RateLimited { .. } | ApiError::Timeout | ApiError::NoFreeSlot => true,
            ApiError::Transport { may_pass, .. } => *may_pass,
            ApiError::Status { status, .. } => *status >= 500,
            ApiError::Auth { .. } | ApiError::Body { .. } => false,
        }
    }

    /// Returns the wait that the API asks for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            ApiError::RateLimited { retry_after, .. } | ApiError::Status { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    /// Returns the error of an answer that is not what the API documents.
    pub fn body(cause: impl Error) -> Self {
        ApiError::Body {
            cause: cause.to_string(),
        }
    }

    /// Returns the error of a request without a whole answer. `proxy` is the variable that
    /// names the proxy on the way.
    pub(super) fn transport(error: &reqwest::Error, proxy: Option<&str>) -> Self {
        if error.is_timeout() {
            return ApiError::Timeout;
        }
        let ConnectionFault {
            cause,
            advice,
            may_pass,
        } = ConnectionFault::of(error, proxy);
        ApiError::Transport {
            cause,
            advice,
            may_pass,
        }
    }

    pub(super) fn from_status(
        response: &Response,
        date: Option<Timestamp>,
        message: VendorMessage,
        credentials: &Credentials,
    ) -> Self {
        let now = date.unwrap_or_else(Timestamp::now);
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| retry_after(value.to_str().ok()?, now));
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ApiError::Auth {
                status: response.status().as_u16(),
                message,
                origins: credentials.to_string(),
            },
            StatusCode::TOO_MANY_REQUESTS => ApiError::RateLimited {
                retry_after,
                message,
            },
            status => ApiError::Status {
                status: status.as_u16(),
                retry_after,
                message,
            },
        }
    }
}

/// Reads a `Retry-After` in either form of RFC 9110, section 10.2.3: a number of seconds,
/// or a date. `now` is the time of the server that wrote the date. Returns `None` for any
/// other text, and zero for a date in the past.
#[must_use]
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = Timestamp::try_from(httpdate::parse_http_date(text.trim()).ok()?).ok()?;
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().expect("a time");
        let cases = [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Mon, 23 Nov 2026 10:01:30 GMT", Some(90)),
            ("Mon, 23 Nov 2026 09:00:00 GMT", Some(0)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(
                retry_after(text, now),
                expected.map(Duration::from_secs),
                "{text:?}"
            );
        }
    }
}
