//! Cuts a range that holds too many events into pieces by time, so that each can
//! be read, held in memory and committed by itself.

use jiff::{SignedDuration, Timestamp};

/// The most events of one piece, but for a single second that holds more.
pub const PIECE_EVENTS: u64 = 20_000;
/// The API's times are whole seconds: there is nothing shorter to cut at.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// After so many cuts that left the API's count as it was it is not believed, and
/// nothing is cut: a count that lies would be cut for ever.
const MAX_FUTILE: u32 = 2;

/// Says where the next piece ends, from what the earlier ones held.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cutter {
    span: Option<SignedDuration>,
    /// What was claimed of a piece that did not fit, and how often in a row a
    /// shorter one from the same moment on claimed no less.
    claimed: u64,
    futile: u32,
}

impl Cutter {
    /// Where a piece that begins at `from` ends; `None` where it reaches to `end`.
    #[must_use]
    pub fn piece_end(&self, from: Timestamp, end: Timestamp) -> Option<Timestamp> {
        let piece_end = from.saturating_add(self.span?).ok()?;
        (piece_end < end).then_some(piece_end)
    }

    /// Takes in how many events the API says there are from `from` to `to`; says
    /// whether they are few enough to be read as one piece. If not, the next
    /// [`Cutter::piece_end`] is nearer.
    pub fn fits(&mut self, from: Timestamp, to: Timestamp, events: u64) -> bool {
        let span = to.duration_since(from).max(SHORTEST);
        if self.futile >= MAX_FUTILE {
            return true;
        }
        let fits = events <= PIECE_EVENTS || span == SHORTEST;
        if fits {
            // The next piece may hold more than this one did, and be no lie.
            self.claimed = 0;
            self.futile = 0;
        } else {
            let futile = self.claimed > 0 && events >= self.claimed;
            self.futile = if futile { self.futile + 1 } else { 0 };
            self.claimed = events;
        }
        if self.futile >= MAX_FUTILE {
            self.span = None;
        } else if self.span.is_some() || !fits {
            self.span = Some(adjusted(span, events));
        }
        fits
    }
}

/// The span that would hold three quarters of a piece, if events came evenly; but
/// no more than four times as long, nor eight times as short, since they do not
/// and since the count may lie.
fn adjusted(span: SignedDuration, events: u64) -> SignedDuration {
    #[expect(clippy::cast_precision_loss, reason = "a ratio need not be exact")]
    let ratio = 0.75 * PIECE_EVENTS as f64 / events.max(1) as f64;
    let seconds = (span.as_secs_f64() * ratio.clamp(1.0 / 8.0, 4.0)).floor();
    SignedDuration::try_from_secs_f64(seconds)
        .unwrap_or(span)
        .max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    #[test]
    fn a_range_that_fits_is_not_cut() {
        let mut cutter = Cutter::default();
        assert_eq!(cutter.piece_end(at(0), at(1000)), None);
        assert!(cutter.fits(at(0), at(1000), PIECE_EVENTS));
        assert_eq!(cutter.piece_end(at(0), at(1000)), None);
    }

    #[test]
    fn pieces_shrink_until_they_fit_and_grow_again() {
        let mut cutter = Cutter::default();
        assert!(!cutter.fits(at(0), at(1000), 10 * PIECE_EVENTS));
        assert_eq!(cutter.piece_end(at(0), at(1000)), Some(at(125)));
        assert!(!cutter.fits(at(0), at(125), 3 * PIECE_EVENTS));
        assert_eq!(cutter.piece_end(at(0), at(1000)), Some(at(31)));
        assert!(cutter.fits(at(0), at(31), PIECE_EVENTS / 100));
        assert_eq!(cutter.piece_end(at(31), at(1000)), Some(at(31 + 124)));
        assert_eq!(cutter.piece_end(at(950), at(1000)), None);
    }

    #[test]
    fn a_count_that_no_cut_lessens_is_not_believed() {
        let mut cutter = Cutter::default();
        let lie = u64::MAX;
        let mut end = at(100_000);
        let mut cuts = 0;
        while !cutter.fits(at(0), end, lie) {
            end = cutter.piece_end(at(0), at(100_000)).unwrap_or(at(100_000));
            cuts += 1;
        }
        assert_eq!((cuts, end), (3, at(100_000)));
        assert_eq!(cutter.piece_end(at(0), at(100_000)), None);
    }

    #[test]
    fn pieces_that_hold_more_and_more_are_no_lie() {
        let mut cutter = Cutter::default();
        let mut from = 0;
        for full in 2..20 {
            assert!(!cutter.fits(at(from), at(from + 1000), full * PIECE_EVENTS));
            let end = cutter.piece_end(at(from), at(from + 1_000_000));
            let end = end.expect("a piece").as_second();
            assert!(cutter.fits(at(from), at(end), PIECE_EVENTS));
            from = end;
        }
    }

    #[test]
    fn a_full_second_is_read_whole() {
        let mut cutter = Cutter::default();
        assert!(!cutter.fits(at(0), at(2), 1000 * PIECE_EVENTS));
        assert_eq!(cutter.piece_end(at(0), at(2)), Some(at(1)));
        assert!(cutter.fits(at(0), at(1), 1000 * PIECE_EVENTS));
        assert!(cutter.fits(at(5), at(5), 1000 * PIECE_EVENTS));
    }
}
