//! What the first start ever counts from.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What the first start ever counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollStart {
    /// From when the exporter started.
    Now,
    /// From so long before the exporter started.
    Age(SignedDuration),
    /// From this moment on.
    At(Timestamp),
}

impl PollStart {
    /// The moment, by the API's clock, that counting begins at: `api_now` is what
    /// the API's clock said when the exporter had been up for `up`.
    #[must_use]
    pub fn resolve(self, api_now: Timestamp, up: Duration) -> Timestamp {
        let ago = SignedDuration::try_from(up).unwrap_or(SignedDuration::ZERO);
        let started = api_now.saturating_sub(ago).unwrap_or(api_now);
        match self {
            PollStart::Now => started,
            PollStart::Age(age) => started.saturating_sub(age).unwrap_or(Timestamp::MIN),
            PollStart::At(time) => time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_at_the_start_does_not_move_it() {
        let time = |text: &str| text.parse::<Timestamp>().expect(text);
        let (now, up) = (time("2026-11-23T10:00:00Z"), Duration::from_mins(10));
        let hour = SignedDuration::from_hours(1);
        let cases = [
            (PollStart::Now, "2026-11-23T09:50:00Z"),
            (PollStart::Age(hour), "2026-11-23T08:50:00Z"),
            (
                PollStart::At(time("2018-01-01T00:00:00Z")),
                "2018-01-01T00:00:00Z",
            ),
        ];
        for (start, expected) in cases {
            assert_eq!(start.resolve(now, up), time(expected), "{start:?}");
        }
    }
}
