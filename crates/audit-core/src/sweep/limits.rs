//! The limits of one API, as far as they are known.

use jiff::{SignedDuration, Timestamp};

/// The time after which a limit is forgotten, so that an API that has lost it is read in
/// large pieces again.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The limits that were met: the highest number of events that one query shows, however many
/// there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    limit: Option<Limit>,
    /// A number of events that is no limit, since a query showed more.
    shown: Shown,
    /// A number of events that was no limit when the two halves of a range had as many events
    /// as the whole. Since then, the number may have become one: the list may have more events.
    checked: Shown,
    /// The time at which pages were found that do not end.
    endless: Option<Timestamp>,
}

/// A limit that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit {
    events: u64,
    /// `true` if the number of events that the API claims has the same limit, so that a
    /// higher claim disproves it.
    caps_claims: bool,
    met: Timestamp,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Shown {
    events: u64,
    at: Option<Timestamp>,
}

impl Limits {
    /// Returns the limit that is known at `now`.
    #[must_use]
    pub fn known(&self, now: Timestamp) -> Option<u64> {
        self.limit
            .filter(|limit| is_recent(limit.met, now))
            .map(|limit| limit.events)
    }

    /// Returns `true` if a query with this number of events does not show all of them, as far
    /// as is known. `is_claimed` says that the API claims that number.
    pub(super) fn exclude(&self, events: u64, is_claimed: bool, now: Timestamp) -> bool {
        let recent = self.limit.filter(|limit| is_recent(limit.met, now));
        recent.is_some_and(|limit| {
            // A claim that is not limited is the number of events.
            let is_exact = is_claimed && !limit.caps_claims;
            events > limit.events || events == limit.events && !is_exact
        })
    }

    /// Returns `true` if a query that shows this number of events may have met a limit
    /// although nothing says so. `may_be_limited` is [`SweepEnd::may_be_limited`].
    ///
    /// [`SweepEnd::may_be_limited`]: super::SweepEnd::may_be_limited
    pub(super) fn suspects(&self, events: u64, may_be_limited: bool, now: Timestamp) -> bool {
        let shown = self.shown.recent(now).max(self.checked.recent(now));
        // The same highest number in two queries is suspicious, round or not.
        let is_repeated = events >= 20 && events == shown.saturating_add(1);
        events > shown && (may_be_limited || is_repeated)
    }

    /// Records that a query met the limit.
    pub(super) fn meet(&mut self, events: u64, caps_claims: bool, now: Timestamp) {
        self.limit = Some(Limit {
            events,
            caps_claims,
            met: now,
        });
    }

    /// Records that `events` is no limit, nor is a smaller number.
    pub(super) fn disprove(&mut self, events: u64, now: Timestamp) {
        let is_known = self.shown.at.is_some_and(|at| is_recent(at, now));
        if !is_known || events >= self.shown.events {
            self.shown = Shown {
                events,
                at: Some(now),
            };
        }
    }

    /// Records that `events` is as many as there are, so that the number is no sign of a
    /// limit until there are more.
    pub(super) fn check(&mut self, events: u64, now: Timestamp) {
        self.checked = Shown {
            events,
            at: Some(now),
        };
    }

    /// Returns these limits as a deep sweep begins with them: it checks every number again.
    #[must_use]
    pub fn for_deep_sweep(self) -> Self {
        Self {
            checked: Shown::default(),
            ..self
        }
    }

    /// Takes in the number of events that the API claims. A limit of what it claims lies no
    /// lower.
    pub(super) fn claim(&mut self, claimed: u64) {
        let disproves = |limit: &Limit| limit.caps_claims && claimed > limit.events;
        if self.limit.as_ref().is_some_and(disproves) {
            self.limit = None;
        }
    }

    /// Returns `true` if pages did not end the last time, as far as is known at `now`.
    pub(super) fn is_endless(&self, now: Timestamp) -> bool {
        self.endless.is_some_and(|met| is_recent(met, now))
    }

    /// Records that pages do not end.
    pub(super) fn meet_endless(&mut self, now: Timestamp) {
        self.endless = Some(now);
    }

    /// Records that pages have ended.
    pub(super) fn end(&mut self) {
        self.endless = None;
    }

    /// Forgets the limit, which turned out to be none.
    pub(super) fn forget(&mut self) {
        self.limit = None;
    }
}

impl Shown {
    /// Returns the number that is known at `now`; 0 if none is.
    fn recent(self, now: Timestamp) -> u64 {
        let at = self.at.filter(|at| is_recent(*at, now));
        at.map_or(0, |_| self.events)
    }
}

fn is_recent(met: Timestamp, now: Timestamp) -> bool {
    now.duration_since(met).abs() < FORGOTTEN_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn met(caps_claims: bool) -> Limits {
        let mut limits = Limits::default();
        limits.meet(100, caps_claims, at(0));
        limits
    }

    #[test]
    fn a_limit_is_known_for_a_day() {
        assert_eq!(Limits::default().known(at(0)), None);
        let cases = [
            (0, Some(100)),
            (24 * HOUR - 1, Some(100)),
            (24 * HOUR, None),
        ];
        for (seconds, known) in cases {
            // A clock that was set back makes no limit last.
            for now in [at(seconds), at(-seconds)] {
                assert_eq!(met(false).known(now), known, "{now}");
                assert_eq!(met(false).exclude(101, true, now), known.is_some());
            }
        }
        let mut limits = met(false);
        limits.forget();
        assert_eq!(limits.known(at(0)), None);
    }

    #[test]
    fn a_query_of_as_many_events_as_the_limit_shows_all_only_if_the_claim_is_exact() {
        // The events, and the answers for a claim that is exact, one that is limited, and
        // for what was listed.
        let cases = [
            (99, [false, false, false]),
            (100, [false, true, true]),
            (101, [true, true, true]),
        ];
        for (events, excluded) in cases {
            let answers = [
                met(false).exclude(events, true, at(0)),
                met(true).exclude(events, true, at(0)),
                met(false).exclude(events, false, at(0)),
            ];
            assert_eq!(answers, excluded, "{events}");
            assert!(!Limits::default().exclude(events, false, at(0)));
        }
    }

    #[test]
    fn a_number_is_suspected_if_it_is_higher_than_those_that_were_no_limit() {
        // The number that was no limit, the number of events, and whether it is suspected
        // where it may be a limit and where nothing says so.
        let cases = [
            (None, 0, [false, false]),
            (None, 1, [true, false]),
            (Some(50), 50, [false, false]),
            (Some(50), 51, [true, true]),
            (Some(50), 52, [true, false]),
            (Some(18), 19, [true, false]),
            (Some(19), 20, [true, true]),
        ];
        for (shown, events, suspected) in cases {
            let mut limits = Limits::default();
            if let Some(shown) = shown {
                limits.disprove(shown, at(0));
            }
            let suspects = [true, false].map(|may_be| limits.suspects(events, may_be, at(0)));
            assert_eq!(suspects, suspected, "{shown:?} {events}");
        }
    }

    #[test]
    fn the_highest_number_that_was_no_limit_is_known_for_a_day() {
        let mut limits = Limits::default();
        limits.disprove(50, at(0));
        limits.disprove(40, at(HOUR));
        assert!(!limits.suspects(50, true, at(HOUR)));
        assert!(limits.suspects(50, true, at(24 * HOUR)));
        limits.disprove(50, at(20 * HOUR));
        assert!(!limits.suspects(50, true, at(24 * HOUR)));
        limits.disprove(40, at(44 * HOUR));
        assert!(!limits.suspects(40, true, at(44 * HOUR)));
        assert!(limits.suspects(50, true, at(44 * HOUR)));
    }

    #[test]
    fn a_number_that_was_checked_is_suspected_again_if_it_rises_or_in_a_deep_sweep() {
        let mut limits = Limits::default();
        limits.disprove(50, at(0));
        limits.check(100, at(0));
        let suspects = |limits: Limits, events, seconds| limits.suspects(events, true, at(seconds));
        assert!(!suspects(limits, 100, 0));
        assert!(suspects(limits, 101, 0));
        assert!(suspects(limits, 100, 24 * HOUR));
        let deep = limits.for_deep_sweep();
        assert!(suspects(deep, 100, 0));
        assert!(!suspects(deep, 50, 0));
        limits.check(99, at(0));
        assert!(suspects(limits, 100, 0));
    }

    #[test]
    fn a_higher_claim_disproves_a_limit_of_what_is_claimed() {
        for (caps_claims, claimed, known) in [
            (true, 100, Some(100)),
            (true, 101, None),
            (false, 101, Some(100)),
        ] {
            let mut limits = met(caps_claims);
            limits.claim(claimed);
            assert_eq!(limits.known(at(0)), known, "{caps_claims} {claimed}");
        }
    }
}
