//! The section `rate_limit`.

use std::{num::NonZeroU32, time::Duration};

use jiff::{Span, SpanRelativeTo};
use yaml_tree::YamlEntry;

use super::WebConfigCheck;

const OPTIONS: [&str; 2] = ["interval", "burst"];

/// A token bucket: it holds up to `burst` requests and gains one per `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The time from one request to the next, above 0.
    pub interval: Duration,
    /// The highest number of requests at once.
    pub burst: NonZeroU32,
}

impl WebConfigCheck {
    pub(super) fn rate_limit(&mut self, section: &YamlEntry) -> Option<RateLimit> {
        let entries = self.ok(section.map())?;
        let options = self.section(entries, &OPTIONS);
        let interval = options.get("interval");
        let interval = match interval {
            Some(entry) => self.interval(entry)?,
            None => Duration::ZERO,
        };
        let burst = match options.get("burst") {
            Some(entry) => self.ok(entry.text())?.parse().ok(),
            None => None,
        };
        match burst {
            _ if interval.is_zero() => None,
            Some(burst) => Some(RateLimit { interval, burst }),
            None => {
                self.report(
                    section,
                    "needs a burst, a whole number above 0: without one no request is answered",
                );
                None
            }
        }
    }

    fn interval(&mut self, entry: &YamlEntry) -> Option<Duration> {
        let text = self.ok(entry.text())?;
        if text.is_empty() {
            return Some(Duration::ZERO);
        }
        let interval = parse_interval(text);
        if interval.is_none() {
            self.report(entry, "must be a duration such as 1s or 100ms, or 0");
        }
        interval
    }
}

/// Reads a duration as Go writes it, or with days of 24 hours.
fn parse_interval(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    // A sign, or ISO 8601, of which `P1M` would be read as a month.
    if text.starts_with(['P', 'p', '+', '-']) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    duration.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_durations_that_are_not_negative() {
        let cases = [
            ("1s", Some(1000)),
            ("100ms", Some(100)),
            ("1h30m", Some(5_400_000)),
            ("1.5s", Some(1500)),
            ("1d", Some(86_400_000)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("20", None),
            ("-1s", None),
            ("+1s", None),
            ("1s ago", None),
            ("PT1S", None),
            ("1y", None),
            ("soon", None),
        ];
        for (text, milliseconds) in cases {
            let expected = milliseconds.map(Duration::from_millis);
            assert_eq!(parse_interval(text), expected, "{text}");
        }
    }
}
