//! Cuts a range that holds too many events into pieces by time, so that each piece can be
//! read, held in memory and committed by itself.

use jiff::{SignedDuration, Timestamp};

/// The largest number of events in one piece. Only a piece of a single second may hold
/// more.
pub const PIECE_EVENTS: u64 = 20_000;
/// The shortest piece: the API's times are whole seconds, so a second cannot be cut.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// The number of cuts in a row that may fail to lower the API's count. After that the count
/// is not believed and the range is read uncut: with a wrong count, cutting would never
/// end.
const MAX_FUTILE_CUTS: u32 = 2;

/// Decides where the next piece ends, from the number of events in the earlier pieces.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cutter {
    /// The span of the next piece; `None` while nothing is cut.
    span: Option<SignedDuration>,
    /// The number of events claimed of the last piece if it did not fit, else 0.
    claimed: u64,
    /// The number of cuts in a row after which the shorter piece claimed no fewer events.
    futile_cuts: u32,
}

impl Cutter {
    /// Returns the end of the piece that begins at `from`; `None` if the piece reaches to
    /// `end`.
    #[must_use]
    pub fn piece_end(&self, from: Timestamp, end: Timestamp) -> Option<Timestamp> {
        let piece_end = from.saturating_add(self.span?).ok()?;
        (piece_end < end).then_some(piece_end)
    }

    /// Returns `true` if the range from `from` to `to` can be read as one piece. `events` is
    /// the number of events in it, as the API claims. If the range does not fit, the next
    /// [`Cutter::piece_end`] is earlier.
    pub fn fits(&mut self, from: Timestamp, to: Timestamp, events: u64) -> bool {
        let span = to.duration_since(from).max(SHORTEST);
        if self.futile_cuts >= MAX_FUTILE_CUTS {
            return true;
        }
        let fits = events <= PIECE_EVENTS || span == SHORTEST;
        if fits {
            // A larger count of the next piece does not mean that the count is wrong.
            self.claimed = 0;
            self.futile_cuts = 0;
        } else {
            let futile = self.claimed > 0 && events >= self.claimed;
            self.futile_cuts = if futile { self.futile_cuts + 1 } else { 0 };
            self.claimed = events;
        }
        if self.futile_cuts >= MAX_FUTILE_CUTS {
            self.span = None;
        } else if self.span.is_some() || !fits {
            self.span = Some(adjusted(span, events));
        }
        fits
    }
}

/// Returns the span that would hold three quarters of [`PIECE_EVENTS`] if events came
/// evenly. It is at most four times as long as `span` and at least an eighth of it, since
/// events do not come evenly and the count may be wrong.
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
    fn a_count_that_no_cut_reduces_is_not_believed() {
        let mut cutter = Cutter::default();
        let wrong_count = u64::MAX;
        let mut end = at(100_000);
        let mut cuts = 0;
        while !cutter.fits(at(0), end, wrong_count) {
            end = cutter.piece_end(at(0), at(100_000)).unwrap_or(at(100_000));
            cuts += 1;
        }
        assert_eq!((cuts, end), (3, at(100_000)));
        assert_eq!(cutter.piece_end(at(0), at(100_000)), None);
    }

    #[test]
    fn counts_that_rise_from_piece_to_piece_are_believed() {
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
    fn a_second_that_holds_too_many_events_is_read_as_one_piece() {
        let mut cutter = Cutter::default();
        assert!(!cutter.fits(at(0), at(2), 1000 * PIECE_EVENTS));
        assert_eq!(cutter.piece_end(at(0), at(2)), Some(at(1)));
        assert!(cutter.fits(at(0), at(1), 1000 * PIECE_EVENTS));
        assert!(cutter.fits(at(5), at(5), 1000 * PIECE_EVENTS));
    }
}
