//! How a sweep has ended, and the times of creation that it was shown.

use jiff::Timestamp;

use super::Range;

/// The end of a sweep, from which [`Cutter::judge`](super::Cutter::judge) knows whether a limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepEnd {
    /// The largest number of events that the API claimed.
    pub claimed: u64,
    /// The number of elements that the last reading was shown, with repetitions.
    pub listed: u64,
    /// The number of different elements that were shown.
    pub distinct: u64,
    /// The number of events that were claimed and not shown.
    pub missing: u64,
    /// `true` if the pages ended before the events did.
    pub is_limited: bool,
    /// `true` if the pages went on beyond what the API claimed, or repeated each other.
    pub is_endless: bool,
    /// `true` if the pages ended where those of a limit would: at a full last page, or at a
    /// round number of events.
    pub may_be_limited: bool,
    /// See [`Times`].
    pub times: Times,
}

/// The times of creation that a sweep was shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// The first time.
    pub earliest: Option<Timestamp>,
    /// The last time.
    pub latest: Option<Timestamp>,
    /// The number of times within the range.
    pub inside: u64,
    /// The number of times outside of the range.
    pub outside: u64,
    /// The number of times within the piece, which requests exceed at both ends.
    pub own: u64,
    /// `true` if a time was no whole second.
    pub has_fraction: bool,
}

impl SweepEnd {
    /// Returns the end of two sweeps over the same range together, each of which asked for
    /// other events.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            claimed: self.claimed.max(other.claimed),
            listed: self.listed.max(other.listed),
            distinct: self.distinct.max(other.distinct),
            missing: self.missing + other.missing,
            is_limited: self.is_limited || other.is_limited,
            is_endless: self.is_endless || other.is_endless,
            may_be_limited: self.may_be_limited || other.may_be_limited,
            times: self.times.and(other.times),
        }
    }
}

impl Times {
    fn and(self, other: Self) -> Self {
        let earliest = [self.earliest, other.earliest].into_iter().flatten().min();
        Self {
            earliest,
            latest: self.latest.max(other.latest),
            inside: self.inside + other.inside,
            outside: self.outside + other.outside,
            own: self.own + other.own,
            has_fraction: self.has_fraction || other.has_fraction,
        }
    }

    /// Returns `true` if most events were not asked for: the API does not select by time, or
    /// by another time than the one that it shows.
    #[must_use]
    pub fn are_mostly_outside(&self) -> bool {
        self.outside > self.inside
    }

    pub(super) fn add(&mut self, time: Timestamp, range: Range, piece: Range) {
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
        self.latest = self.latest.max(Some(time));
        self.has_fraction |= time.subsec_nanosecond() != 0;
        // Requests name whole seconds.
        let is_early = time.as_second() < range.from.as_second();
        if !is_early && range.to.is_none_or(|to| time <= to) {
            self.inside += 1;
        } else {
            self.outside += 1;
        }
        let is_own = time >= piece.from && piece.to.is_none_or(|to| time < to);
        self.own += u64::from(is_own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).expect("a time")
    }

    #[test]
    fn times_are_told_apart_by_range_and_piece() {
        let range = |from, to: Option<i64>| Range {
            from: time(from),
            to: to.map(time),
        };
        // The time, and whether it is within the range from 10 s to 20 s, and within the piece
        // from 11 s to 19 s.
        let cases = [
            (9_999, false, false),
            (10_000, true, false),
            (10_500, true, false),
            (11_000, true, true),
            (18_999, true, true),
            (19_000, true, false),
            (20_000, true, false),
            (20_001, false, false),
        ];
        for (milliseconds, inside, own) in cases {
            let mut times = Times::default();
            let bounds = (range(10_900, Some(20_000)), range(11_000, Some(19_000)));
            times.add(time(milliseconds), bounds.0, bounds.1);
            let expected = Times {
                earliest: Some(time(milliseconds)),
                latest: Some(time(milliseconds)),
                inside: u64::from(inside),
                outside: u64::from(!inside),
                own: u64::from(own),
                has_fraction: milliseconds % 1000 != 0,
            };
            assert_eq!(times, expected, "{milliseconds}");
        }
        let mut times = Times::default();
        for seconds in [15, 12, 18, 4] {
            let open = range(10_000, None);
            times.add(time(1000 * seconds), open, open);
        }
        let expected = Times {
            earliest: Some(time(4_000)),
            latest: Some(time(18_000)),
            inside: 3,
            outside: 1,
            own: 3,
            has_fraction: false,
        };
        assert_eq!(times, expected);
    }

    #[test]
    fn times_are_mostly_outside_if_more_are_outside_than_inside() {
        for (inside, outside, mostly) in [(0, 0, false), (2, 2, false), (2, 3, true), (3, 2, false)]
        {
            let times = Times {
                inside,
                outside,
                ..Times::default()
            };
            assert_eq!(times.are_mostly_outside(), mostly, "{inside} {outside}");
        }
    }

    #[test]
    fn two_sweeps_over_one_range_have_one_end() {
        let one = |number: u64, flag| SweepEnd {
            claimed: number,
            listed: 10 * number,
            distinct: 100 * number,
            missing: 1000 * number,
            is_limited: flag,
            is_endless: flag,
            may_be_limited: flag,
            times: Times {
                earliest: Some(time(1000 * i64::try_from(number).expect("a small number"))),
                latest: Some(time(2000 * i64::try_from(number).expect("a small number"))),
                inside: number,
                outside: 10 * number,
                own: 100 * number,
                has_fraction: flag,
            },
        };
        for (first, second) in [(true, false), (false, true)] {
            let expected = SweepEnd {
                missing: 5000,
                times: Times {
                    earliest: Some(time(2000)),
                    latest: Some(time(6000)),
                    inside: 5,
                    outside: 50,
                    own: 500,
                    has_fraction: true,
                },
                ..one(3, true)
            };
            assert_eq!(one(2, first).and(one(3, second)), expected);
            let nothing = SweepEnd {
                times: Times::default(),
                ..one(0, false)
            };
            assert_eq!(nothing.and(one(3, second)), one(3, second));
        }
    }
}
