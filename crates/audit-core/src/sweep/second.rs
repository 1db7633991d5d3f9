//! Reads a single second that holds more events than one query shows, or nearly so.
//!
//! Requests exceed their range at both ends, since it is not documented whether a range
//! includes its bounds. Where events are that dense, the neighbours of a second take the
//! places of its own events, so the second is asked for with every pair of bounds that may
//! show it alone.

use jiff::Timestamp;

use super::{
    Range, SweepEnd,
    piece::{earlier, later},
};

/// The number of different bounds with which a second is asked for.
const REQUESTS: u8 = 4;

/// A second that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct DenseSecond {
    /// The beginning of the second.
    at: Timestamp,
    /// The number of the request, from 0.
    request: u8,
    /// `true` if a range includes its first second, as far as is known.
    includes_from: bool,
    /// `true` if a range includes its last second, as far as is known.
    includes_to: bool,
    /// `true` if events of the second have fractions of a second.
    has_fraction: bool,
    /// For each request, the number of missing events; `None` if it has not been sent.
    missing: [Option<u64>; REQUESTS as usize],
}

impl DenseSecond {
    /// Returns the second that begins at `at`; `wide` is the end of the sweep that found it
    /// dense.
    pub(super) fn new(at: Timestamp, has_fraction: bool) -> Self {
        Self {
            at,
            // With fractions, a range of no length shows a part of the second.
            request: u8::from(has_fraction),
            includes_from: false,
            includes_to: false,
            has_fraction,
            missing: [None; REQUESTS as usize],
        }
    }

    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the times that the requests name.
    pub(super) fn request(&self) -> Range {
        let (from, to) = match self.request {
            0 => (self.at, self.at),
            1 => (self.at, later(self.at)),
            2 => (earlier(self.at), self.at),
            _ => (earlier(self.at), later(self.at)),
        };
        Range { from, to: Some(to) }
    }

    /// Takes in the end of a sweep; `missing` is the number of events that it did not show.
    /// Returns the number of events of the second that no request shows, once that is known.
    pub(super) fn read(&mut self, end: &SweepEnd, missing: u64) -> Option<u64> {
        let (at, next) = (self.at.as_second(), later(self.at).as_second());
        let seconds =
            [end.times.earliest, end.times.latest].map(|time| time.map(Timestamp::as_second));
        let shows = |second| seconds.contains(&Some(second));
        self.has_fraction |= end.times.has_fraction;
        self.missing[usize::from(self.request)] = Some(missing);
        let shows_it = shows(at);
        match self.request {
            0 | 1 if shows_it => self.includes_from = true,
            3 if shows(at - 1) => self.includes_from = true,
            _ => {}
        }
        match self.request {
            0 | 2 if shows_it => self.includes_to = true,
            1 | 3 if shows(next) => self.includes_to = true,
            _ => {}
        }
        if self.request == 2 && shows(at - 1) {
            self.includes_from = true;
        }
        // The narrowest request that shows the second shows as much of it as can be had.
        let is_partial = self.request == 0 && self.has_fraction;
        let is_last = self.request + 1 == REQUESTS;
        if !is_last && (!shows_it || is_partial) {
            self.request += 1;
            return None;
        }
        Some(self.fewest_missing())
    }

    /// Returns the number of events that the best of the requests that include the second did
    /// not show.
    fn fewest_missing(&self) -> u64 {
        let includes = [
            self.includes_from && self.includes_to && !self.has_fraction,
            self.includes_from,
            self.includes_to,
            true,
        ];
        let of_those = self.missing.iter().zip(includes);
        let missing = of_those.filter_map(|(missing, includes)| missing.filter(|_| includes));
        missing.min().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Times;

    const SECOND: i64 = 10;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    /// Returns the end of a sweep that showed events from the first to the last second.
    fn end(shown: Option<(i64, i64)>, has_fraction: bool) -> SweepEnd {
        SweepEnd {
            claimed: 0,
            listed: 0,
            distinct: 0,
            missing: 0,
            is_limited: false,
            is_endless: false,
            may_be_limited: false,
            times: Times {
                earliest: shown.map(|(first, _)| at(first)),
                latest: shown.map(|(_, last)| at(last)),
                has_fraction,
                ..Times::default()
            },
        }
    }

    /// What a request shows, from the first to the last second, and how many events it
    /// misses.
    type Answer = (Option<(i64, i64)>, u64);

    /// Reads the second until it is known how many events no request shows. Returns that
    /// number and the bounds of the requests.
    fn read(answers: &[Answer], known: bool, shown: bool) -> (Option<u64>, Vec<(i64, i64)>) {
        let mut second = DenseSecond::new(at(SECOND), known);
        assert_eq!(second.at(), at(SECOND));
        let mut requests = Vec::new();
        for (seconds, missing) in answers {
            let Range { from, to } = second.request();
            requests.push((from.as_second(), to.expect("an end").as_second()));
            let missing = second.read(&end(*seconds, shown), *missing);
            if missing.is_some() {
                return (missing, requests);
            }
        }
        (None, requests)
    }

    #[test]
    fn a_second_is_asked_for_until_a_request_shows_it() {
        let all = [(10, 10), (10, 11), (9, 10), (9, 11)];
        let own = Some((10, 10));
        let cases: [(&str, &[Answer], u64, usize); 8] = [
            ("both bounds are included", &[(own, 3)], 3, 1),
            ("the first is", &[(None, 0), (own, 4)], 4, 2),
            (
                "the last is",
                &[(None, 0), (Some((11, 11)), 0), (own, 5)],
                5,
                3,
            ),
            (
                "none is",
                &[(None, 0), (None, 0), (None, 0), (own, 6)],
                6,
                4,
            ),
            (
                "it is never shown",
                &[(None, 1), (None, 1), (None, 1), (None, 7)],
                7,
                4,
            ),
            (
                "the widest request shows that the first is",
                &[(None, 9), (None, 2), (None, 1), (Some((9, 10)), 7)],
                2,
                4,
            ),
            (
                "the widest request shows that the last is",
                &[(None, 9), (None, 1), (None, 2), (Some((10, 11)), 7)],
                2,
                4,
            ),
            (
                "the third request shows that the first is",
                &[(None, 9), (None, 2), (Some((9, 9)), 1), (own, 7)],
                2,
                4,
            ),
        ];
        for (name, answers, missing, requests) in cases {
            let expected = (Some(missing), all[..requests].to_vec());
            assert_eq!(read(answers, false, false), expected, "{name}");
        }
    }

    #[test]
    fn a_range_of_no_length_shows_a_part_of_a_second_with_fractions() {
        let own = Some((10, 10));
        let expected = (Some(4), vec![(10, 11)]);
        assert_eq!(read(&[(own, 4)], true, true), expected);
        // That there are fractions is seen in the first answer.
        let expected = (Some(4), vec![(10, 10), (10, 11)]);
        assert_eq!(
            read(&[(own, 0), (Some((10, 11)), 4)], false, true),
            expected
        );
    }
}
