//! The moment from which an account without stored counts is counted.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::window::Clocks;

/// The moment from which an account without stored counts is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollStart {
    /// The time when the account was taken up.
    Now,
    /// This long before the account was taken up.
    Age(SignedDuration),
    /// This moment.
    At(Timestamp),
}

impl PollStart {
    /// Returns two moments: the one from which events are counted, and the one from which
    /// events are news, which is when the account was taken up. `now` is the time of the
    /// clocks when that was `ago`.
    ///
    /// If the clocks differ, it is not known by which of them times of creation are. Events
    /// are counted by the earlier one, so that none is lost. Those between the two may have
    /// been created before the account was taken up, so that they are no news.
    #[must_use]
    pub fn resolve(self, now: Clocks, ago: Duration) -> (Timestamp, Timestamp) {
        let ago = SignedDuration::try_from(ago).unwrap_or(SignedDuration::ZERO);
        let taken_up = |now: Timestamp| whole_second(now.saturating_sub(ago).unwrap_or(now));
        let (earliest, latest) = (taken_up(now.earliest()), taken_up(now.latest()));
        let start = match self {
            PollStart::Now => earliest,
            PollStart::Age(age) => earliest.saturating_sub(age).unwrap_or(Timestamp::MIN),
            PollStart::At(time) => time,
        };
        (start, latest)
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

    fn time(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    fn clocks(api: &str, local: &str) -> Clocks {
        Clocks {
            api: time(api),
            local: time(local),
        }
    }

    #[test]
    fn neither_an_outage_nor_a_part_of_a_second_moves_it() {
        let now = clocks("2026-11-23T10:00:01Z", "2026-11-23T10:00:01.9Z");
        let up = Duration::from_millis(600_100);
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
            let began = time("2026-11-23T09:50:01Z");
            assert_eq!(start.resolve(now, up), (time(expected), began), "{start:?}");
        }
    }

    #[test]
    fn events_count_from_the_earlier_clock_and_are_news_from_the_later_one() {
        let (early, late) = ("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z");
        for now in [clocks(early, late), clocks(late, early)] {
            let (start, began) = PollStart::Now.resolve(now, Duration::ZERO);
            assert_eq!((start, began), (time(early), time(late)), "{now:?}");
            let hour = PollStart::Age(SignedDuration::from_hours(1));
            let (start, began) = hour.resolve(now, Duration::ZERO);
            assert_eq!((start, began), (time("2026-11-23T08:00:00Z"), time(late)));
        }
    }
}
