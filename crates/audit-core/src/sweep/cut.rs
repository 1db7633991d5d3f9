//! Cuts a range into pieces by time, so that each piece can be read whole, held in memory and
//! committed by itself.
//!
//! A piece has to be shorter if it holds too many events for one commit, or more events than
//! the API shows of one query. The API does not have to say so: its pages may end early, and
//! the number of events that it claims may be no higher than what it shows. A number that may
//! be such a limit is checked once, by reading the two halves of the range.

use jiff::{SignedDuration, Timestamp};

use super::{
    Limits, Piece, Range, SweepEnd, Times,
    piece::{later, whole_second, widened},
    second::DenseSecond,
};

/// The largest number of events in one piece. Only a piece of a single second may hold
/// more.
pub const PIECE_EVENTS: u64 = 20_000;
/// The shortest piece: the API's times are whole seconds, so a second cannot be cut.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// The number of pages that are asked for before page 1 says how many there are, for a piece
/// that is likely to be full.
const PAGES_EXPECTED: u64 = 8;
/// The number of events on a full page.
const FULL_PAGE: u64 = 100;

/// The number of cuts in a row that may fail to lower the API's count. After that the count
/// is not believed and the range is read uncut: with a wrong count, cutting would never
/// end.
const MAX_FUTILE_CUTS: u32 = 2;

/// Decides where the next piece ends, from what the API said of earlier pieces.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cutter {
    limits: Limits,
    /// The span of the next piece; `None` while nothing is cut.
    span: Option<SignedDuration>,
    /// The number of events claimed of the last piece if it did not fit, else 0.
    claimed: u64,
    /// The number of cuts in a row after which the shorter piece claimed no fewer events.
    futile_cuts: u32,
    /// The number of events after which the pages ended too early, once.
    early_end: Option<u64>,
    suspicion: Option<Suspicion>,
    /// The second that is being read with different bounds.
    second: Option<DenseSecond>,
    /// The end of the last second that was read so.
    second_end: Option<Timestamp>,
    /// `true` once cutting has turned out to be in vain.
    is_in_vain: bool,
}

/// A range that showed a number of events that may be a limit, and whose halves are read.
#[derive(Debug, Clone, Copy)]
struct Suspicion {
    /// The number of events.
    events: u64,
    /// `true` if the API claimed that number.
    is_claimed: bool,
    /// The end of the range.
    to: Timestamp,
    /// The number of events that were created within the range.
    own: u64,
    /// The number of those that the parts of the range have shown so far.
    own_of_parts: u64,
    /// The number of events that the parts have shown, each of which exceeds its bounds.
    shown_of_parts: u64,
}

/// The facts on page 1 of a piece.
#[derive(Debug, Clone, Copy)]
pub struct FirstClaim {
    /// The number of events that the API claims.
    pub claimed: u64,
    /// The number of events that the piece has beside those, from other queries.
    pub beside: u64,
    /// The times of creation on the page.
    pub times: Times,
}

/// The decision about a piece that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The piece was read as far as it can be read.
    Read {
        /// The number of events that the API has and does not show; at least that many if
        /// the API does not say how many it has.
        missing: u64,
        /// The second that has more events than the API shows of one query.
        dense: Option<Timestamp>,
    },
    /// The piece is to be read again as [`Cutter::piece`] says now.
    Again,
}

impl Cutter {
    /// Returns a cutter that knows these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Returns the limits that are known now.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns the next piece of a range; `now` is the time of the API.
    #[must_use]
    pub fn piece(&self, range: Range, now: Timestamp) -> Piece {
        let end = range.to.unwrap_or(now);
        if let Some(second) = &self.second {
            let next = later(second.at());
            return Piece {
                from: range.from,
                to: range.to.is_none_or(|to| next < to).then_some(next),
                request: second.request(),
                finds_limits: true,
                pages_expected: 0,
            };
        }
        let to = self.piece_end(range.from, end);
        Piece {
            from: range.from,
            to,
            request: widened(Range {
                from: range.from,
                to: to.or(range.to),
            }),
            finds_limits: !self.is_in_vain,
            pages_expected: to.map_or(0, |_| self.pages_expected(now)),
        }
    }

    /// Returns the end of the piece that begins at `from`; `None` if the piece reaches to
    /// `end`.
    fn piece_end(&self, from: Timestamp, end: Timestamp) -> Option<Timestamp> {
        let piece_end = whole_second(from).saturating_add(self.span?).ok()?;
        (piece_end < end).then_some(piece_end)
    }

    fn pages_expected(&self, now: Timestamp) -> u64 {
        let suspected = self.suspicion.map(|suspicion| suspicion.events);
        let limit = self.limits.known(now).or(suspected).unwrap_or(u64::MAX);
        (limit / FULL_PAGE).clamp(1, PAGES_EXPECTED)
    }

    /// Returns `true` if the piece can be read on after its page 1. `to` is the end of the
    /// range, or `now` if it has none. If the piece cannot, the next [`Cutter::piece`] is
    /// shorter.
    pub fn begin(
        &mut self,
        piece: &Piece,
        to: Timestamp,
        first: &FirstClaim,
        now: Timestamp,
    ) -> bool {
        let to = piece.to.unwrap_or(to);
        self.limits.claim(first.claimed);
        if self.second.is_some() {
            return true;
        }
        let events = first.beside.saturating_add(first.claimed);
        if self.limits.exclude(first.claimed, true, now) && self.can_cut(piece, to) {
            self.cut(piece, to, first.claimed, &first.times, now);
            return false;
        }
        let is_repeated = self.repeats(first.claimed) && !first.times.are_mostly_outside();
        if is_repeated && self.can_cut(piece, to) && !is_one_second(piece.from, to) {
            self.halve(piece, to);
            return false;
        }
        let fits = self.fits(piece.from, to, events, now);
        if !fits {
            self.limits.disprove(first.claimed.saturating_sub(1), now);
        }
        fits
    }

    /// Returns what to do with a piece whose sweep has ended so. `to` and `now` are as in
    /// [`Cutter::begin`].
    pub fn judge(
        &mut self,
        piece: &Piece,
        to: Timestamp,
        end: &SweepEnd,
        now: Timestamp,
    ) -> Verdict {
        let to = piece.to.unwrap_or(to);
        let is_claimed = end.claimed >= end.distinct;
        let events = if is_claimed { end.claimed } else { end.listed };
        if !end.is_limited
            && self
                .limits
                .known(now)
                .is_some_and(|limit| end.listed > limit)
        {
            self.limits.forget();
        }
        let is_over = end.is_limited || self.limits.exclude(events, is_claimed, now);
        if let Some(second) = &mut self.second {
            let limit = self.limits.known(now);
            if end.missing > 0 && limit.is_some_and(|limit| end.listed < limit) {
                // It is the claim that is wrong, and cutting would go on to each second.
                self.second = None;
                self.give_up();
                return Verdict::Again;
            }
            let at = second.at();
            let missing = end.missing.max(u64::from(is_over));
            let Some(missing) = second.read(end, missing) else {
                return Verdict::Again;
            };
            self.second = None;
            self.second_end = piece.to;
            let dense = (missing > 0).then_some(at);
            return Verdict::Read { missing, dense };
        }
        if !self.can_cut(piece, to) {
            let is_told = piece.to.is_none() && self.second_end == Some(piece.from);
            // The request includes the second before, whose missing events were told.
            let missing = if is_told { 0 } else { end.missing };
            return self.accept(piece, events, &SweepEnd { missing, ..*end }, now);
        }
        if is_over {
            if end.is_limited {
                self.note_early_end(end.listed, now);
                // What is claimed is not limited as what is shown is.
                self.limits.disprove(end.claimed.saturating_sub(1), now);
            }
            self.cut(piece, to, events, &end.times, now);
            return Verdict::Again;
        }
        let is_suspect = end.missing == 0 && self.limits.suspects(events, end.may_be_limited, now);
        if is_suspect && self.doubts(piece, to, events, end, now) {
            return Verdict::Again;
        }
        self.accept(piece, events, end, now)
    }

    fn can_cut(&self, piece: &Piece, to: Timestamp) -> bool {
        // An open range that begins in the future has no end up to which it could be cut.
        !self.is_in_vain && piece.from < to
    }

    /// Has a shorter piece read next, or the only second of the piece with other bounds, or
    /// nothing cut any more if the API does not select by time.
    fn cut(&mut self, piece: &Piece, to: Timestamp, events: u64, times: &Times, now: Timestamp) {
        if self.is_in_vain || times.are_mostly_outside() {
            self.give_up();
        } else if is_one_second(piece.from, to) {
            let at = whole_second(piece.from);
            self.second = Some(DenseSecond::new(at, times.has_fraction));
        } else {
            let span = to.duration_since(whole_second(piece.from));
            let capacity = self.limits.known(now).unwrap_or(PIECE_EVENTS);
            let shorter = adjusted(span, events, capacity.min(PIECE_EVENTS));
            // A claim may have the same limit as what is shown, and then says too little.
            self.span = Some(shorter.min(halved(span)));
        }
    }

    fn give_up(&mut self) {
        self.is_in_vain = true;
        self.span = None;
        self.suspicion = None;
        self.early_end = None;
        self.limits.forget();
    }

    /// Takes in that pages ended after `listed` events although there should be more. That is
    /// a limit if it happens again after as many events, or if a shorter piece is whole.
    fn note_early_end(&mut self, listed: u64, now: Timestamp) {
        let known = self.limits.known(now);
        match known.or(self.early_end) {
            Some(before) if listed < before => self.give_up(),
            Some(_) => self.limits.meet(listed, false, now),
            None => self.early_end = Some(listed),
        }
    }

    /// Begins to read the halves of a piece that showed a number of events that may be a
    /// limit. Returns `false` if the number is none.
    fn doubts(
        &mut self,
        piece: &Piece,
        to: Timestamp,
        events: u64,
        end: &SweepEnd,
        now: Timestamp,
    ) -> bool {
        let is_one_second = is_one_second(piece.from, to);
        // Events without a time that can be read do not show what the API selects by.
        let is_outside = 2 * end.times.inside < end.distinct;
        if self.repeats(events) {
            if is_outside {
                // The API does not select by time, so the number says nothing.
                self.limits.check(events, now);
                self.give_up();
            } else if is_one_second {
                // Nothing speaks against the limit, and events that are not shown would be
                // lost in silence.
                self.suspicion = None;
                self.limits.meet(events, end.claimed >= end.distinct, now);
                self.cut(piece, to, events, &end.times, now);
            } else {
                self.halve(piece, to);
            }
            return true;
        }
        if is_one_second || is_outside {
            return false;
        }
        self.suspicion = Some(Suspicion {
            events,
            is_claimed: end.claimed >= end.distinct,
            to,
            own: end.times.own,
            own_of_parts: 0,
            shown_of_parts: 0,
        });
        // A smaller part may well have another number that looks like a limit.
        self.limits.disprove(events.saturating_sub(1), now);
        self.halve(piece, to);
        true
    }

    /// Returns `true` if a part of a range that may have met a limit has as many events as the
    /// whole.
    fn repeats(&self, events: u64) -> bool {
        self.suspicion
            .is_some_and(|suspicion| suspicion.events == events)
    }

    fn halve(&mut self, piece: &Piece, to: Timestamp) {
        self.span = Some(halved(to.duration_since(whole_second(piece.from))));
    }

    fn accept(&mut self, piece: &Piece, events: u64, end: &SweepEnd, now: Timestamp) -> Verdict {
        let missing = end.missing;
        if missing == 0 {
            if let Some(limit) = self.early_end.take().filter(|limit| end.listed < *limit) {
                self.limits.meet(limit, false, now);
            }
            self.limits.disprove(events.saturating_sub(1), now);
        }
        if let Some(suspicion) = &mut self.suspicion {
            suspicion.own_of_parts += end.times.own;
            suspicion.shown_of_parts += end.distinct;
            if piece.to.is_none_or(|to| to >= suspicion.to) {
                self.settle(now);
            }
        }
        Verdict::Read {
            missing,
            dense: None,
        }
    }

    /// Decides about a suspicion, once all parts were read.
    fn settle(&mut self, now: Timestamp) {
        let Some(suspicion) = self.suspicion.take() else {
            return;
        };
        if suspicion.own_of_parts > suspicion.own {
            self.limits
                .meet(suspicion.events, suspicion.is_claimed, now);
        } else if suspicion.shown_of_parts <= suspicion.events {
            self.limits.check(suspicion.events, now);
        }
    }

    /// Returns `true` if the range from `from` to `to` can be read as one piece. `events` is
    /// the number of events in it, as the API claims. If the range does not fit, the next
    /// [`Cutter::piece`] ends earlier.
    fn fits(&mut self, from: Timestamp, to: Timestamp, events: u64, now: Timestamp) -> bool {
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
            let capacity = self.limits.known(now).unwrap_or(PIECE_EVENTS);
            self.span = Some(adjusted(span, events, capacity.min(PIECE_EVENTS)));
        }
        fits
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

fn is_one_second(from: Timestamp, to: Timestamp) -> bool {
    to <= later(whole_second(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn fits(cutter: &mut Cutter, from: Timestamp, to: Timestamp, events: u64) -> bool {
        cutter.fits(from, to, events, at(0))
    }

    #[test]
    fn a_range_that_fits_is_not_cut() {
        let mut cutter = Cutter::default();
        assert_eq!(cutter.piece_end(at(0), at(1000)), None);
        assert!(fits(&mut cutter, at(0), at(1000), PIECE_EVENTS));
        assert_eq!(cutter.piece_end(at(0), at(1000)), None);
    }

    #[test]
    fn pieces_shrink_until_they_fit_and_grow_again() {
        let mut cutter = Cutter::default();
        assert!(!fits(&mut cutter, at(0), at(1000), 10 * PIECE_EVENTS));
        assert_eq!(cutter.piece_end(at(0), at(1000)), Some(at(125)));
        assert!(!fits(&mut cutter, at(0), at(125), 3 * PIECE_EVENTS));
        assert_eq!(cutter.piece_end(at(0), at(1000)), Some(at(31)));
        assert!(fits(&mut cutter, at(0), at(31), PIECE_EVENTS / 100));
        assert_eq!(cutter.piece_end(at(31), at(1000)), Some(at(31 + 124)));
        assert_eq!(cutter.piece_end(at(950), at(1000)), None);
    }

    #[test]
    fn a_count_that_no_cut_reduces_is_not_believed() {
        let mut cutter = Cutter::default();
        let wrong_count = u64::MAX;
        let mut end = at(100_000);
        let mut cuts = 0;
        while !fits(&mut cutter, at(0), end, wrong_count) {
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
            assert!(!fits(
                &mut cutter,
                at(from),
                at(from + 1000),
                full * PIECE_EVENTS
            ));
            let end = cutter.piece_end(at(from), at(from + 1_000_000));
            let end = end.expect("a piece").as_second();
            assert!(fits(&mut cutter, at(from), at(end), PIECE_EVENTS));
            from = end;
        }
    }

    #[test]
    fn a_second_that_holds_too_many_events_is_read_as_one_piece() {
        let mut cutter = Cutter::default();
        assert!(!fits(&mut cutter, at(0), at(2), 1000 * PIECE_EVENTS));
        assert_eq!(cutter.piece_end(at(0), at(2)), Some(at(1)));
        assert!(fits(&mut cutter, at(0), at(1), 1000 * PIECE_EVENTS));
        assert!(fits(&mut cutter, at(5), at(5), 1000 * PIECE_EVENTS));
    }
}
