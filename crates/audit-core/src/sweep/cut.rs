//! Cuts a range into pieces by time, so that each piece can be read whole, held in memory and
//! committed by itself.
//!
//! A piece has to be shorter if it holds too many events for one commit, or more events than
//! the API shows of one query. The API does not have to say so: its pages may end early, and
//! the number of events that it claims may be no higher than what it shows. A number that may
//! be such a limit is checked once, by reading the two halves of the range.

use jiff::Timestamp;

use super::{
    Limits, PIECE_EVENTS, Piece, Range, SweepEnd, Times,
    piece::{MOST_AFTER_ENDLESS, MOST_BEYOND_CLAIM, later, whole_second, widened},
    second::DenseSecond,
    span::PieceSpan,
};

/// The number of pages that are asked for before page 1 says how many there are, for a piece
/// that is likely to be full.
const PAGES_EXPECTED: u64 = 8;
/// The number of events on a full page.
const FULL_PAGE: u64 = 100;

/// Decides where the next piece ends, from what the API said of earlier pieces.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cutter {
    limits: Limits,
    span: PieceSpan,
    /// The number of events after which the pages ended too early, once.
    early_end: Option<u64>,
    suspicion: Option<Suspicion>,
    /// The second that is being read with different bounds.
    second: Option<DenseSecond>,
    /// The end of the last second that was read so.
    second_end: Option<Timestamp>,
    /// `true` once cutting has turned out to be in vain.
    is_in_vain: bool,
    /// The end of the last second whose pages did not end.
    endless_to: Option<Timestamp>,
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
    /// The range cannot be read: the API shows pages without end, also of a single second
    /// and of the next one.
    Endless,
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
                most_beyond_claim: self.most_beyond_claim(now),
            };
        }
        let to = self.span(now).piece_end(range.from, end);
        Piece {
            from: range.from,
            to,
            request: widened(Range {
                from: range.from,
                to: to.or(range.to),
            }),
            finds_limits: !self.is_in_vain,
            pages_expected: to.map_or(0, |_| self.pages_expected(now)),
            most_beyond_claim: self.most_beyond_claim(now),
        }
    }

    /// Returns the span of the next piece, which is the shortest after pages without end.
    fn span(&self, now: Timestamp) -> PieceSpan {
        if self.limits.is_endless(now) && !self.is_in_vain {
            return PieceSpan::shortest();
        }
        self.span
    }

    fn most_beyond_claim(&self, now: Timestamp) -> u64 {
        if self.limits.is_endless(now) {
            MOST_AFTER_ENDLESS
        } else {
            MOST_BEYOND_CLAIM
        }
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
            self.span.halve(piece.from, to);
            return false;
        }
        let fits = self.span.fits(piece.from, to, events, self.capacity(now));
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
        let is_over =
            end.is_limited || end.is_endless || self.limits.exclude(events, is_claimed, now);
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
            if missing > 0 && end.is_endless && self.is_next_endless(at, now) {
                return Verdict::Endless;
            }
            return Verdict::Read { missing, dense };
        }
        if end.is_endless && (!self.can_cut(piece, to) || end.times.are_mostly_outside()) {
            self.limits.meet_endless(now);
            return Verdict::Endless;
        }
        if !self.can_cut(piece, to) {
            let is_told = piece.to.is_none() && self.second_end == Some(piece.from);
            // The request includes the second before, whose missing events were told.
            let missing = if is_told { 0 } else { end.missing };
            return self.accept(piece, events, &SweepEnd { missing, ..*end }, now);
        }
        if end.is_endless && !is_one_second(piece.from, to) {
            self.span.shorten_far(piece.from, to);
            return Verdict::Again;
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

    /// Takes in a second whose pages do not end. Returns `true` if the second before it is
    /// another one.
    fn is_next_endless(&mut self, second: Timestamp, now: Timestamp) -> bool {
        let is_next = self.endless_to == Some(second);
        self.endless_to = Some(later(second));
        if is_next {
            self.limits.meet_endless(now);
        }
        is_next
    }

    /// Returns the highest number of events that a piece should have.
    fn capacity(&self, now: Timestamp) -> u64 {
        let known = self.limits.known(now).unwrap_or(PIECE_EVENTS);
        known.min(PIECE_EVENTS)
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
            let capacity = self.capacity(now);
            self.span.shorten(piece.from, to, events, capacity);
        }
    }

    fn give_up(&mut self) {
        self.is_in_vain = true;
        self.span.end_cutting();
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
                self.span.halve(piece.from, to);
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
        self.span.halve(piece.from, to);
        true
    }

    /// Returns `true` if a part of a range that may have met a limit has as many events as the
    /// whole.
    fn repeats(&self, events: u64) -> bool {
        self.suspicion
            .is_some_and(|suspicion| suspicion.events == events)
    }

    fn accept(&mut self, piece: &Piece, events: u64, end: &SweepEnd, now: Timestamp) -> Verdict {
        let missing = end.missing;
        self.limits.end();
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
}

fn is_one_second(from: Timestamp, to: Timestamp) -> bool {
    to <= later(whole_second(from))
}
