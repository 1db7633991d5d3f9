//! The time limit that a scraper states.

use std::time::Duration;

use hyper::{HeaderMap, header::HeaderValue};

/// The header with the time limit of a scrape, in seconds. Prometheus, its agents and
/// VictoriaMetrics send it with every scrape, and no other client does.
pub(crate) const HEADER: &str = "x-prometheus-scrape-timeout-seconds";

/// Returns the time limit that a request states in `X-Prometheus-Scrape-Timeout-Seconds`;
/// `None` if it states none, and zero if the value cannot be read.
#[must_use]
pub fn scrape_time_limit(headers: &HeaderMap) -> Option<Duration> {
    headers.get(HEADER).map(seconds)
}

fn seconds(value: &HeaderValue) -> Duration {
    let seconds = value.to_str().ok().and_then(|text| text.parse().ok());
    let limit = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    limit.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_cannot_be_read_is_zero_and_no_header_is_none() {
        for (value, expected) in [
            (None, None),
            (Some("10"), Some(10_000)),
            (Some("9.5"), Some(9500)),
            (Some(""), Some(0)),
            (Some("soon"), Some(0)),
            (Some("-1"), Some(0)),
            (Some("NaN"), Some(0)),
            (Some("1e999"), Some(0)),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(HEADER, HeaderValue::from_static(value));
            }
            let expected = expected.map(Duration::from_millis);
            assert_eq!(scrape_time_limit(&headers), expected, "{value:?}");
        }
    }
}
