//! Finds events that are late by the same span again and again.
//!
//! Events may be late because their times of creation are in another time zone than the
//! clock of the API, or because the API shows each event after the same delay. Polls then
//! find none of the events, and deep sweeps find all of them:
//!
//! ```text
//!    created_at             the deep sweep before          this deep sweep
//!   ─────┼────────────────────────────┼──────────────┼────────────┼───▶
//!        │ delay, the same for all ──────────────────▶ appears    │
//!        │ lateness ──────────────────────────────────────────────▶
//! ```
//!
//! The lateness is the delay and the wait for the deep sweep, so that it differs by no more
//! than the time between two deep sweeps. The smallest lateness is closest to the delay.

use jiff::SignedDuration;

/// The lowest number of events that can be regularly late.
const MIN_EVENTS: u64 = 5;
/// Events are regularly late if at most one event in so many is in time.
const ALL_FOR_EACH_IN_TIME: u64 = 10;

/// The lateness of the events that were counted since it was last judged.
#[derive(Debug, Clone, Default)]
pub(super) struct Lateness {
    /// The number of events that were in time.
    in_time: u64,
    /// The number of events that were late.
    late: u64,
    /// The smallest and the largest lateness of an event.
    extremes: Option<(SignedDuration, SignedDuration)>,
    /// `true` once events were found to be regularly late.
    was_found: bool,
}

/// Events are late by the same span again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegularLateness {
    /// The number of late events.
    pub events: u64,
    /// The smallest span from the creation of an event to the watermark of the sweep that
    /// counted the event.
    pub late_by: SignedDuration,
}

impl Lateness {
    /// Adds an event that was in time.
    pub(super) fn add_in_time(&mut self) {
        self.in_time += 1;
    }

    /// Adds an event that was late by this span.
    pub(super) fn add_late(&mut self, late_by: SignedDuration) {
        self.late += 1;
        let (least, most) = self.extremes.unwrap_or((late_by, late_by));
        self.extremes = Some((least.min(late_by), most.max(late_by)));
    }

    /// Judges the events after a deep sweep, and forgets them unless they are regularly late
    /// so far and too few. Returns what was found, the first time that something was.
    pub(super) fn judge(&mut self, spread: SignedDuration) -> Option<RegularLateness> {
        let nearly_all = self.in_time * ALL_FOR_EACH_IN_TIME <= self.in_time + self.late;
        let by_one_span = self
            .extremes
            .is_none_or(|(least, most)| most - least <= spread);
        let is_regular = nearly_all && by_one_span;
        if is_regular && self.late < MIN_EVENTS {
            return None;
        }
        let found = self.extremes.filter(|_| is_regular);
        let found = found.map(|(least, _)| RegularLateness {
            events: self.late,
            late_by: least,
        });
        let is_news = !self.was_found;
        *self = Self {
            was_found: self.was_found || found.is_some(),
            ..Self::default()
        };
        found.filter(|_| is_news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn minutes(minutes: i64) -> SignedDuration {
        SignedDuration::from_mins(minutes)
    }

    fn lateness(in_time: u64, late: &[i64]) -> Lateness {
        let mut lateness = Lateness::default();
        for _ in 0..in_time {
            lateness.add_in_time();
        }
        for late in late {
            lateness.add_late(minutes(*late));
        }
        lateness
    }

    #[test]
    fn events_are_regularly_late_if_they_are_enough_nearly_all_and_late_by_one_span() {
        let nine = [90, 61, 120, 70, 80, 75, 65, 119, 118];
        let cases: [(&str, u64, &[i64], Option<i64>); 8] = [
            ("none", 0, &[], None),
            ("four", 0, &nine[..4], None),
            ("five", 0, &nine[..5], Some(61)),
            ("all in time", 100, &[], None),
            ("one of ten in time", 1, &nine, Some(61)),
            ("one of nine in time", 1, &nine[..8], None),
            (
                "by an hour and no more",
                0,
                &[60, 120, 60, 120, 60],
                Some(60),
            ),
            ("by spans of all kinds", 0, &[60, 120, 60, 121, 60], None),
        ];
        for (name, in_time, late, expected) in cases {
            let found = lateness(in_time, late).judge(HOUR);
            let expected = expected.map(|late_by| RegularLateness {
                events: late.len() as u64,
                late_by: minutes(late_by),
            });
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn a_quiet_account_is_judged_once_it_has_enough_events() {
        let mut lateness = Lateness::default();
        for event in 1..5 {
            lateness.add_late(minutes(60 + event));
            assert_eq!(lateness.judge(HOUR), None, "{event}");
        }
        lateness.add_late(minutes(70));
        let found = lateness.judge(HOUR).expect("five late events");
        assert_eq!((found.events, found.late_by), (5, minutes(61)));
    }

    #[test]
    fn what_is_not_regular_is_forgotten() {
        let mut lateness = lateness(5, &[60, 61, 62, 63]);
        assert_eq!(lateness.judge(HOUR), None);
        lateness.add_late(minutes(64));
        assert_eq!(lateness.judge(HOUR), None, "one late event");
    }

    #[test]
    fn it_is_found_once() {
        let mut lateness = lateness(0, &[60; 5]);
        assert!(lateness.judge(HOUR).is_some());
        for _ in 0..5 {
            lateness.add_late(HOUR);
        }
        assert_eq!(lateness.judge(HOUR), None);
    }
}
