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
    /// A number of events that a query showed, and that was no limit. A limit is higher.
    shown: Shown,
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
        let shown = self.shown.at.filter(|at| is_recent(*at, now));
        let shown = shown.map_or(0, |_| self.shown.events);
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

    /// Takes in the number of events that the API claims. A limit of what it claims lies no
    /// lower.
    pub(super) fn claim(&mut self, claimed: u64) {
        let disproves = |limit: &Limit| limit.caps_claims && claimed > limit.events;
        if self.limit.as_ref().is_some_and(disproves) {
            self.limit = None;
        }
    }

    /// Forgets the limit, which turned out to be none.
    pub(super) fn forget(&mut self) {
        self.limit = None;
    }
}

fn is_recent(met: Timestamp, now: Timestamp) -> bool {
    now.duration_since(met).abs() < FORGOTTEN_AFTER
}
