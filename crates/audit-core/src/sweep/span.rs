//! The spans of pieces, from the numbers of events that earlier pieces had.

use jiff::{SignedDuration, Timestamp};

use super::piece::whole_second;

/// The largest number of events in one piece. Only a piece of a single second may hold
/// more.
pub const PIECE_EVENTS: u64 = 20_000;
/// The shortest piece: the API's times are whole seconds, so a second cannot be cut.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// The number of cuts in a row that may fail to lower the API's count. After that the count
/// is not believed and the range is read uncut: with a wrong count, cutting would never
/// end.
const MAX_FUTILE_CUTS: u32 = 2;

/// The part of a piece without end that the next piece is. Each piece costs many requests
/// until it turns out to have no end, so few of them lead to a single second.
const ENDLESS_SHARE: i64 = 60;

/// The span of the next piece.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PieceSpan {
    /// The span of the next piece; `None` while nothing is cut.
    span: Option<SignedDuration>,
    /// The number of events claimed of the last piece if it did not fit, else 0.
    claimed: u64,
    /// The number of cuts in a row after which the shorter piece claimed no fewer events.
    futile_cuts: u32,
    /// The longest span of pieces that begin before a time, up to which a piece had no end.
    longest: Option<(SignedDuration, Timestamp)>,
}

impl PieceSpan {
    /// Returns the span of pieces that are as short as can be.
    pub(super) fn shortest() -> Self {
        Self {
            span: Some(SHORTEST),
            ..Self::default()
        }
    }

    /// Returns the end of the piece that begins at `from`; `None` if the piece reaches to
    /// `end`.
    pub(super) fn piece_end(&self, from: Timestamp, end: Timestamp) -> Option<Timestamp> {
        let longest = self.longest.filter(|(_, until)| from < *until);
        let longest = longest.map_or(SignedDuration::MAX, |(span, _)| span);
        let piece_end = whole_second(from)
            .saturating_add(self.span?.min(longest))
            .ok()?;
        (piece_end < end).then_some(piece_end)
    }

    /// Returns `true` if the range from `from` to `to` can be read as one piece. `events` is
    /// the number of events in it, as the API claims, and `capacity` the highest number that
    /// a piece should have. If the range does not fit, the next piece ends earlier.
    pub(super) fn fits(
        &mut self,
        from: Timestamp,
        to: Timestamp,
        events: u64,
        capacity: u64,
    ) -> bool {
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
            self.span = Some(adjusted(span, events, capacity));
        }
        fits
    }

    /// Makes the next piece shorter than the one from `from` to `to`, which had `events`
    /// events.
    pub(super) fn shorten(&mut self, from: Timestamp, to: Timestamp, events: u64, capacity: u64) {
        let span = to.duration_since(whole_second(from));
        let shorter = adjusted(span, events, capacity);
        // A claim may have the same limit as what is shown, and then says too little.
        self.span = Some(shorter.min(halved(span)));
    }

    /// Makes the next piece half as long as the one from `from` to `to`.
    pub(super) fn halve(&mut self, from: Timestamp, to: Timestamp) {
        self.span = Some(halved(to.duration_since(whole_second(from))));
    }

    /// Makes the next piece far shorter than the one from `from` to `to`, whose number of events
    /// is not known.
    pub(super) fn shorten_far(&mut self, from: Timestamp, to: Timestamp) {
        let span = to.duration_since(whole_second(from));
        let seconds = span.as_secs() / ENDLESS_SHARE;
        let span = SignedDuration::from_secs(seconds).max(SHORTEST);
        self.span = Some(span);
        self.longest = Some((span, to));
    }

    /// Makes the next piece reach to the end of the range.
    pub(super) fn end_cutting(&mut self) {
        self.span = None;
    }
}

/// Returns the span that would hold three quarters of `capacity` if events came evenly. It is
/// at most four times as long as `span` and at least an eighth of it, since events do not come
/// evenly and the count may be wrong.
fn adjusted(span: SignedDuration, events: u64, capacity: u64) -> SignedDuration {
    #[expect(clippy::cast_precision_loss, reason = "a ratio need not be exact")]
    let ratio = 0.75 * capacity as f64 / events.max(1) as f64;
    let seconds = (span.as_secs_f64() * ratio.clamp(1.0 / 8.0, 4.0)).floor();
    SignedDuration::try_from_secs_f64(seconds)
        .unwrap_or(span)
        .max(SHORTEST)
}

fn halved(span: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(span.as_secs() / 2).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn fits(span: &mut PieceSpan, from: Timestamp, to: Timestamp, events: u64) -> bool {
        span.fits(from, to, events, PIECE_EVENTS)
    }

    #[test]
    fn a_range_that_fits_is_not_cut() {
        let mut span = PieceSpan::default();
        assert_eq!(span.piece_end(at(0), at(1000)), None);
        assert!(fits(&mut span, at(0), at(1000), PIECE_EVENTS));
        assert_eq!(span.piece_end(at(0), at(1000)), None);
    }

    #[test]
    fn pieces_shrink_until_they_fit_and_grow_again() {
        let mut span = PieceSpan::default();
        assert!(!fits(&mut span, at(0), at(1000), 10 * PIECE_EVENTS));
        assert_eq!(span.piece_end(at(0), at(1000)), Some(at(125)));
        assert_eq!(span.piece_end(at(0), at(126)), Some(at(125)));
        assert_eq!(span.piece_end(at(0), at(125)), None);
        assert!(!fits(&mut span, at(0), at(125), 3 * PIECE_EVENTS));
        assert_eq!(span.piece_end(at(0), at(1000)), Some(at(31)));
        assert!(fits(&mut span, at(0), at(31), PIECE_EVENTS / 100));
        assert_eq!(span.piece_end(at(31), at(1000)), Some(at(31 + 124)));
        assert_eq!(span.piece_end(at(950), at(1000)), None);
    }

    #[test]
    fn a_count_that_no_cut_reduces_is_not_believed() {
        let mut span = PieceSpan::default();
        let wrong_count = u64::MAX;
        let mut end = at(100_000);
        let mut cuts = 0;
        while !fits(&mut span, at(0), end, wrong_count) {
            end = span.piece_end(at(0), at(100_000)).unwrap_or(at(100_000));
            cuts += 1;
        }
        assert_eq!((cuts, end), (3, at(100_000)));
        assert_eq!(span.piece_end(at(0), at(100_000)), None);
    }

    #[test]
    fn counts_that_rise_from_piece_to_piece_are_believed() {
        let mut span = PieceSpan::default();
        let mut from = 0;
        for full in 2..20 {
            assert!(!fits(
                &mut span,
                at(from),
                at(from + 1000),
                full * PIECE_EVENTS
            ));
            let end = span.piece_end(at(from), at(from + 1_000_000));
            let end = end.expect("a piece").as_second();
            assert!(fits(&mut span, at(from), at(end), PIECE_EVENTS));
            from = end;
        }
    }

    #[test]
    fn a_second_that_holds_too_many_events_is_read_as_one_piece() {
        let mut span = PieceSpan::default();
        assert!(!fits(&mut span, at(0), at(2), 1000 * PIECE_EVENTS));
        assert_eq!(span.piece_end(at(0), at(2)), Some(at(1)));
        assert!(fits(&mut span, at(0), at(1), 1000 * PIECE_EVENTS));
        assert!(fits(&mut span, at(5), at(5), 1000 * PIECE_EVENTS));
    }
}
