//! A part of a range that is read by one sweep, and the times that its requests name.

use jiff::{SignedDuration, Timestamp};

use super::Range;

/// The time by which each request exceeds its range at both ends: it is not documented
/// whether a range includes its bounds.
pub(super) const BOUND: SignedDuration = SignedDuration::from_secs(1);

/// The number of events that one query may show beyond those that the API claims on page 1. A
/// list without claims may have as many.
pub(super) const MOST_BEYOND_CLAIM: u64 = 10_000;
/// The same number after pages that did not end, so that it takes few requests to find that
/// they still do not.
pub(super) const MOST_AFTER_ENDLESS: u64 = 2_000;

/// A part of a range that is read by one sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The first time of the piece.
    pub from: Timestamp,
    /// The time at which the piece ends and the next one begins; `None` if the piece reaches
    /// to the end of the range.
    pub to: Option<Timestamp>,
    /// The times that requests name.
    pub request: Range,
    /// `true` if the sweep ends with [`Step::Limited`](super::Step::Limited) where pages end
    /// too early.
    pub finds_limits: bool,
    /// The number of pages that can be asked for before page 1 says how many there are; 0 if
    /// none can.
    pub pages_expected: u64,
    /// The number of events beyond those that the API claims on page 1 after which the sweep
    /// ends with [`Step::Endless`](super::Step::Endless).
    pub most_beyond_claim: u64,
}

/// Returns the times that requests for `range` name.
pub(super) fn widened(range: Range) -> Range {
    Range {
        from: earlier(range.from),
        to: range.to.map(widened_end),
    }
}

/// Returns the last time that requests name for a range that ends at `to`.
#[must_use]
pub fn widened_end(to: Timestamp) -> Timestamp {
    later(to)
}

pub(super) fn earlier(time: Timestamp) -> Timestamp {
    time.saturating_sub(BOUND).unwrap_or(Timestamp::MIN)
}

pub(super) fn later(time: Timestamp) -> Timestamp {
    time.saturating_add(BOUND).unwrap_or(Timestamp::MAX)
}

pub(super) fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_exceed_their_range_by_a_second_within_the_calendar() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let cases = [
            ((at(10), Some(at(20))), (at(9), Some(at(21)))),
            ((at(10), None), (at(9), None)),
            (
                (Timestamp::MIN, Some(Timestamp::MAX)),
                (Timestamp::MIN, Some(Timestamp::MAX)),
            ),
        ];
        for ((from, to), (earlier, later)) in cases {
            let expected = Range {
                from: earlier,
                to: later,
            };
            assert_eq!(widened(Range { from, to }), expected, "{from}");
        }
    }
}
