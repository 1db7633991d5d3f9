//! For how long an exemplar is shown.

use std::time::Duration;

use jiff::Timestamp;

use crate::gate::Gate;

/// An exemplar is shown for at least this long.
const SHORTEST: Duration = Duration::from_mins(10);
/// An exemplar is shown for at least so many scrape intervals.
const INTERVALS: u32 = 5;
/// The times at which exemplars are over are multiples of this time, so that many end at
/// once.
const STEP: Duration = Duration::from_mins(1);

/// Whether the exemplar of a counter is shown. Without an end, every scrape would repeat an
/// exemplar that each server has had since long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Showing {
    /// The exemplar was not shown yet, since its event was not.
    #[default]
    NotYet,
    /// The exemplar is shown until so many times [`STEP`] since the process started. A number
    /// takes less memory than a time, and each counter has one.
    Until(u32),
    /// The exemplar was shown for long enough.
    Over,
}

impl Showing {
    /// Returns how an exemplar is shown that is shown first at `now`, the time since the
    /// process started.
    pub(super) fn from(now: Duration, gate: &Gate) -> Self {
        Self::until(now + span(now, gate))
    }

    /// Returns how an exemplar is shown that an earlier process has shown since its event was
    /// created, for as much as is known. `local` is the time of the wall clock at `now`.
    pub(super) fn since(created_at: i64, local: Timestamp, now: Duration, gate: &Gate) -> Self {
        let age = local.as_millisecond().saturating_sub(created_at);
        let age = Duration::from_millis(u64::try_from(age).unwrap_or_default());
        match span(now, gate).checked_sub(age) {
            Some(left) => Self::until(now + left),
            None => Self::Over,
        }
    }

    /// Returns how an exemplar is shown until `time`, and less than a [`STEP`] more.
    fn until(time: Duration) -> Self {
        let steps = time.as_secs().div_ceil(STEP.as_secs());
        Self::Until(u32::try_from(steps).unwrap_or(u32::MAX))
    }

    /// Returns the time since the process started until which the exemplar is shown; `None` if
    /// it is not shown.
    pub(super) fn end(self) -> Option<Duration> {
        match self {
            Self::Until(steps) => Some(STEP * steps),
            Self::NotYet | Self::Over => None,
        }
    }
}

fn span(now: Duration, gate: &Gate) -> Duration {
    SHORTEST.max(gate.interval(now) * INTERVALS)
}
