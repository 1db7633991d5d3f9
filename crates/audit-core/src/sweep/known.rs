//! The elements that the API is known to list in one range.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxBuildHasher;

use super::{
    Range,
    piece::{later, whole_second, widened},
    tail::Tail,
};
use crate::event::EventId;

/// The elements that requests within one range have shown. Each of them is still listed
/// there, since the list of audit events only grows.
///
/// The range was read by readings that begin one after the other and that all end at its end:
///
/// ```text
///   from       2nd     3rd            last      to
///   ──┼─────────┼───────┼── ─ ─ ─ ──────┼────────┼──▶ created_at
///     │ 1st reading     │               │ last reading
///               │ 2nd reading ...
/// ```
///
/// All that is known of the times of elements is which request has shown them, so that
/// neither an unreadable time nor the inclusiveness of bounds matters.
#[derive(Debug, Clone)]
pub(super) struct KnownRange {
    /// The end of the range.
    to: Timestamp,
    /// The number of the first reading, and the times at which the readings begin.
    readings: (u32, VecDeque<Timestamp>),
    /// `true` if the last reading has not been read to its end.
    is_unread: bool,
    /// Each element, with the number of the last reading that showed it.
    shown: HashMap<EventId, u32, FxBuildHasher>,
}

impl KnownRange {
    /// Returns a range of which no element is known, with so many readings of about the same
    /// length. The range may be shortened to where any of them begins.
    pub(super) fn new(from: Timestamp, to: Timestamp, readings: u32) -> Self {
        let first = whole_second(from);
        let span = to.duration_since(first).as_secs();
        let readings = i64::from(readings).clamp(1, span.max(1));
        let begin =
            |place| first.saturating_add(SignedDuration::from_secs(span * place / readings));
        let begins = (0..readings).flat_map(begin).collect();
        Self {
            to,
            readings: (0, begins),
            is_unread: false,
            shown: HashMap::default(),
        }
    }

    pub(super) fn to(&self) -> Timestamp {
        self.to
    }

    pub(super) fn len(&self) -> u64 {
        self.shown.len() as u64
    }

    /// Returns `true` if the range begins at `from` or earlier.
    pub(super) fn covers(&self, from: Timestamp) -> bool {
        self.begins(0).is_some_and(|begin| begin <= from)
    }

    /// Returns the place of the last reading, from 0.
    pub(super) fn last_place(&self) -> usize {
        self.readings.1.len().saturating_sub(1)
    }

    /// Returns the time at which a reading begins.
    pub(super) fn begins(&self, place: usize) -> Option<Timestamp> {
        self.readings.1.get(place).copied()
    }

    /// Returns the part of the range from where a reading begins to where the next one does.
    pub(super) fn part(&self, place: usize) -> Range {
        Range {
            from: self.begins(place).unwrap_or(self.to),
            to: Some(self.begins(place + 1).unwrap_or(self.to)),
        }
    }

    /// Returns the times that requests for everything from a reading on name.
    pub(super) fn request_from(&self, place: usize) -> Range {
        widened(Range {
            from: self.begins(place).unwrap_or(Timestamp::MIN),
            to: Some(self.to),
        })
    }

    /// Returns the number of known elements that requests from a reading on show.
    pub(super) fn known_from(&self, place: usize) -> u64 {
        let number = self.number(place);
        let known = self.shown.values().filter(|last| **last >= number);
        known.count() as u64
    }

    /// Moves the end of the range to `to`. Returns the range that the next reading has to
    /// read; `None` if there is nothing to read. Events that the tail of the last poll has
    /// shown need not be read again.
    pub(super) fn extend(&mut self, to: Timestamp, tail: Option<&Tail>) -> Option<Range> {
        if !self.is_unread {
            if to <= self.to {
                return None;
            }
            // Requests exceed a range by a second at both ends. They have gone one second
            // beyond the end, and may not have included that second.
            let mut from = later(self.to);
            if let Some((tail, seen)) = tail.and_then(|tail| Some((tail, tail.seen_of(to)?))) {
                self.readings.1.push_back(from);
                self.take(self.last_place(), tail.before(seen));
                from = seen;
            }
            self.readings.1.push_back(from);
            self.is_unread = true;
        }
        self.to = to.max(self.to);
        Some(Range {
            from: self.begins(self.last_place())?,
            to: Some(self.to),
        })
    }

    /// Records that the last reading was read to its end.
    pub(super) fn end_reading(&mut self) {
        self.is_unread = false;
    }

    /// Takes in elements that a request within the reading at `place` has shown.
    pub(super) fn take(&mut self, place: usize, elements: impl Iterator<Item = EventId>) {
        let number = self.number(place);
        for id in elements {
            let last = self.shown.entry(id).or_insert(number);
            *last = number.max(*last);
        }
    }

    /// Shortens the range to one that begins at `from` or a little earlier: where a reading
    /// begins.
    pub(super) fn forget_before(&mut self, from: Timestamp) {
        let (first, begins) = &mut self.readings;
        let mut is_shorter = false;
        while begins.get(1).is_some_and(|begin| *begin <= from) {
            begins.pop_front();
            *first += 1;
            is_shorter = true;
        }
        if is_shorter {
            let first = *first;
            self.shown.retain(|_, last| *last >= first);
        }
    }

    fn number(&self, place: usize) -> u32 {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        self.readings.0.saturating_add(place)
    }
}
