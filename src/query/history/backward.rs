//! Reads a range from its end backwards, so that the newest events come first and older ones
//! need not be read.
//!
//! The range is read in stretches, the last one first. A stretch is short enough for its
//! events to be held, and within it reading goes forwards.

use audit_core::{
    sweep::{Cutter, PIECE_EVENTS, Range},
    window::Clocks,
};
use jiff::{SignedDuration, Timestamp};

use super::{History, HistoryPiece, Kept, MatchingPages, RawElement};
use crate::api::{ApiError, paging::claimed};

/// The span of the first stretch.
const FIRST_SPAN: SignedDuration = SignedDuration::from_hours(1);
/// The shortest stretch: the API's times are whole seconds.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);
/// The number of events that the first stretch should have at most; each further one may have
/// four times as many.
const FIRST_CAPACITY: u64 = 1000;
/// The number of events that are held of one stretch at most, unless it is a single second.
const MOST_HELD: u64 = 2 * PIECE_EVENTS;
/// The number of cuts in a row that may fail to lower the API's count. After that the count
/// is not believed.
const MAX_FUTILE_CUTS: u32 = 3;

/// The place of a reading that goes backwards.
#[derive(Debug)]
pub(super) struct Backward {
    /// The range that is read.
    range: Range,
    /// The end of what has not been read; `None` while that is the open end of the range.
    to: Option<Timestamp>,
    /// `true` once the begin of the range was reached.
    is_read: bool,
    span: SignedDuration,
    capacity: u64,
    /// The number of events claimed of the last stretch if it did not fit, else 0.
    claimed: u64,
    futile_cuts: u32,
}

impl Backward {
    pub(super) fn new(range: Range) -> Self {
        Self {
            range,
            to: range.to,
            is_read: false,
            span: FIRST_SPAN,
            capacity: FIRST_CAPACITY,
            claimed: 0,
            futile_cuts: 0,
        }
    }

    /// Returns `true` once a stretch is read.
    pub(super) fn has_begun(&self) -> bool {
        self.capacity > FIRST_CAPACITY
    }

    /// Returns the next stretch; `None` once everything was read. `now` is where an open
    /// range ends.
    fn stretch(&self, now: Timestamp) -> Option<Range> {
        let end = self.to.unwrap_or(now).max(self.range.from);
        let begin = end.checked_sub(self.span).unwrap_or(Timestamp::MIN);
        let begin = Timestamp::from_second(begin.as_second()).unwrap_or(begin);
        (!self.is_read).then_some(Range {
            from: begin.max(self.range.from),
            to: self.to,
        })
    }

    /// Returns `true` if a stretch with that many events can be read as a whole, and otherwise
    /// makes the next one shorter.
    fn fits(&mut self, length: SignedDuration, events: u64) -> bool {
        let is_believed = self.futile_cuts < MAX_FUTILE_CUTS;
        if events > self.capacity && length > SHORTEST && is_believed {
            let is_futile = self.claimed > 0 && events >= self.claimed;
            self.futile_cuts = if is_futile { self.futile_cuts + 1 } else { 0 };
            self.claimed = events;
            self.span = scaled(length, events, self.capacity);
            return false;
        }
        self.claimed = 0;
        self.capacity = (self.capacity * 4).min(PIECE_EVENTS);
        let events = if is_believed { events } else { 0 };
        self.span = scaled(length, events, self.capacity);
        true
    }

    /// Takes in that everything from this time on was read.
    fn was_read(&mut self, from: Timestamp) {
        self.to = Some(from);
        self.is_read = from <= self.range.from;
    }
}

/// Returns the span that would hold three quarters of `capacity` if events came evenly; at
/// most four times as long as `length`, and at least an eighth of it.
fn scaled(length: SignedDuration, events: u64, capacity: u64) -> SignedDuration {
    #[expect(clippy::cast_precision_loss, reason = "a ratio need not be exact")]
    let ratio = 0.75 * capacity as f64 / events.max(1) as f64;
    let seconds = (length.as_secs_f64() * ratio.clamp(1.0 / 8.0, 4.0)).floor();
    let span = SignedDuration::try_from_secs_f64(seconds);
    span.unwrap_or(length).max(SHORTEST)
}

impl History {
    /// Returns the end of what [`History::previous_piece`] has not read; `None` while that is
    /// the open end of the range.
    pub(crate) fn unread_to(&self) -> Option<Timestamp> {
        self.backward.to
    }

    /// Reads the stretch before the one that was read last, beginning with the end of the
    /// range; `None` once the whole range was read. Events, clocks and `keep` are as for
    /// [`History::next_piece`], and `read_to` is where the stretch begins.
    ///
    /// # Errors
    /// [`ApiError`], after the last retry. The next call reads the same stretch.
    pub(crate) async fn previous_piece<T>(
        &mut self,
        mut keep: impl FnMut(&RawElement<'_>) -> Option<T>,
    ) -> Result<Option<HistoryPiece<T>>, ApiError> {
        loop {
            let now = Timestamp::now();
            let Some(stretch) = self.backward.stretch(now) else {
                return Ok(None);
            };
            let length = stretch.to.unwrap_or(now).duration_since(stretch.from);
            let claimed = self.claimed(stretch).await?;
            if !self.backward.fits(length, claimed) {
                continue;
            }
            let Some(piece) = self.read_stretch(stretch, length, &mut keep).await? else {
                self.backward.span = (length / 2).max(SHORTEST);
                continue;
            };
            self.backward.was_read(stretch.from);
            return Ok(Some(piece));
        }
    }

    /// Returns the number of events that the API claims of a range; 0 if it claims none.
    async fn claimed(&self, range: Range) -> Result<u64, ApiError> {
        let mut events = 0;
        for matching in self.matchings() {
            let source = MatchingPages::new(&self.client, matching);
            let of_one = claimed(&source, range).await?;
            events += of_one.value.unwrap_or_default();
        }
        Ok(events)
    }

    /// Reads a stretch; `None` if it has more events than may be held.
    async fn read_stretch<T>(
        &mut self,
        stretch: Range,
        length: SignedDuration,
        keep: &mut impl FnMut(&RawElement<'_>) -> Option<T>,
    ) -> Result<Option<HistoryPiece<T>>, ApiError> {
        self.cutter = Cutter::new(self.cutter.limits());
        (self.query.from, self.query.to) = (stretch.from, stretch.to);
        self.next = Some(stretch.from);
        let mut clocks: Option<Clocks> = None;
        let mut events: Vec<Kept<T>> = Vec::new();
        let mut missing = 0;
        while let Some(piece) = self.next_piece(&mut *keep).await? {
            clocks.get_or_insert(piece.clocks);
            missing += piece.missing;
            events.extend(piece.events);
            if events.len() as u64 > MOST_HELD && length > SHORTEST {
                self.forget_timeless(&events);
                return Ok(None);
            }
        }
        let local = Timestamp::now();
        Ok(Some(HistoryPiece {
            events,
            read_to: Some(stretch.from),
            clocks: clocks.unwrap_or(Clocks { api: local, local }),
            missing,
        }))
    }

    /// Lets events without a time, which are read again, be shown then.
    fn forget_timeless<T>(&mut self, events: &[Kept<T>]) {
        for kept in events.iter().filter(|kept| kept.created_at.is_none()) {
            self.timeless.remove(&kept.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    /// The stretches of a range, as pairs of seconds, and the number of counts asked for,
    /// where `events` says how many events the seconds from one to the other have.
    fn stretches(from: i64, to: i64, events: impl Fn(i64, i64) -> u64) -> (Vec<(i64, i64)>, u32) {
        let mut backward = Backward::new(Range {
            from: at(from),
            to: Some(at(to)),
        });
        let (mut read, mut asked) = (Vec::new(), 0);
        while let Some(stretch) = backward.stretch(at(to)) {
            let end = stretch.to.expect("an end");
            let (begin, end) = (stretch.from.as_second(), end.as_second());
            asked += 1;
            if backward.fits(SignedDuration::from_secs(end - begin), events(begin, end)) {
                backward.was_read(stretch.from);
                read.push((begin, end));
            }
        }
        (read, asked)
    }

    #[test]
    fn a_quiet_range_is_read_in_a_few_stretches() {
        let (read, asked) = stretches(0, 90 * 86_400, |_, _| 0);
        assert_eq!(read[0], (90 * 86_400 - 3600, 90 * 86_400));
        assert_eq!(read[1].0, read[0].0 - 4 * 3600);
        assert_eq!(read.last().map(|last| last.0), Some(0));
        assert!(asked < 8, "{asked}");
    }

    #[test]
    fn of_a_busy_range_little_is_read_first() {
        let ten_a_second = |from: i64, to: i64| (to - from).unsigned_abs() * 10;
        let (read, asked) = stretches(0, 86_400, ten_a_second);
        let first = read[0].1 - read[0].0;
        assert!((10..=100).contains(&first), "{first} s");
        let most = read.iter().map(|(from, to)| ten_a_second(*from, *to)).max();
        assert!(most <= Some(PIECE_EVENTS), "{most:?}");
        assert!(asked < 100, "{asked}");
        assert!(read.windows(2).all(|two| two[0].0 == two[1].1));
        assert_eq!(read.last().map(|last| last.0), Some(0));
    }

    #[test]
    fn a_count_that_no_cut_reduces_is_not_believed() {
        let (read, asked) = stretches(0, 86_400, |_, _| u64::MAX);
        assert_eq!(read.last().map(|last| last.0), Some(0));
        assert!(asked < 400, "{asked}");
    }

    #[test]
    fn a_range_of_no_length_has_one_stretch() {
        assert_eq!(stretches(5, 5, |_, _| 0), (vec![(5, 5)], 1));
    }
}
