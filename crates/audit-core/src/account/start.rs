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
    /// The moment, by the API's clock, that counting begins at, and the moment that
    /// news begins at: when the exporter was started. `api_now` is what the API's
    /// clock said when the exporter had been up for `up`.
    #[must_use]
    pub fn resolve(self, api_now: Timestamp, up: Duration) -> (Timestamp, Timestamp) {
        let ago = SignedDuration::try_from(up).unwrap_or(SignedDuration::ZERO);
        let started = whole_second(api_now.saturating_sub(ago).unwrap_or(api_now));
        let start = match self {
            PollStart::Now => started,
            PollStart::Age(age) => started.saturating_sub(age).unwrap_or(Timestamp::MIN),
            PollStart::At(time) => time,
        };
        (start, started)
    }
}

/// The API's times are whole seconds: what happens within the first second would
/// seem to have happened before it.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_an_outage_nor_a_part_of_a_second_moves_it() {
        let time = |text: &str| text.parse::<Timestamp>().expect(text);
        let (now, up) = (time("2026-11-23T10:00:01Z"), Duration::from_millis(600_100));
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
            let began = time("2026-11-23T09:50:00Z");
            assert_eq!(start.resolve(now, up), (time(expected), began), "{start:?}");
        }
    }
}
