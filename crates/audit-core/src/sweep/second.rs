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
