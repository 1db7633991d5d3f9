//! The moment from which the first start of the exporter counts.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The moment from which the first start of the exporter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollStart {
    /// The time when the exporter started.
    Now,
    /// This long before the exporter started.
    Age(SignedDuration),
    /// This moment.
    At(Timestamp),
}

impl PollStart {
    /// Returns two moments by the API's clock: the moment from which events are counted,
    /// and the moment from which events are news, which is when the exporter started.
    /// `api_now` is the time of the API's clock when the exporter had been up for `up`.
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

/// Rounds down to a whole second. The API's times are whole seconds, so an event that was
/// created later in the same second would seem older than `time`.
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
