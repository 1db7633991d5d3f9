//! One sweep reads all pages of one range: which pages are still to be read, and whether
//! every event was seen. A range that holds more events than one query shows, or than one
//! commit should hold, is cut into pieces.

mod cut;
mod end;
mod known;
mod limits;
mod piece;
mod reading;
mod recount;
mod recount_step;
mod search;
mod second;
mod span;
mod tail;

pub use cut::{Cutter, FirstClaim, Verdict};
pub use end::{SweepEnd, Times};
pub use limits::Limits;
pub use piece::{Piece, widened_end};
pub use recount::{FEW_EVENTS, Recount};
pub use recount_step::{RecountSettings, RecountStep};
pub use span::PIECE_EVENTS;

use std::collections::HashMap;

use jiff::Timestamp;
use rustc_hash::FxBuildHasher;

use crate::event::{Element, EventId, Page};
use piece::MOST_BEYOND_CLAIM;
use reading::{LastPage, Reading};

/// The range of creation times that a sweep asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first time asked for.
    pub from: Timestamp,
    /// The last time asked for; `None` if the range has no end.
    pub to: Option<Timestamp>,
}

/// The next step of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The sweep reads this page; pages are numbered from 1.
    Read(u64),
    /// The sweep reads all pages again from page 1, since pages shifted while they were
    /// read.
    ReadAgain,
    /// The sweep has ended: at least as many events were seen as the API claims.
    Whole,
    /// The sweep has ended after several readings, and the API still claims more events
    /// than it shows.
    Short {
        /// The number of events that were claimed and not shown.
        missing: u64,
    },
    /// The sweep has ended: the pages end before the events do, in two readings in a row.
    Limited,
    /// The sweep has ended: the pages go on beyond what the API claims, or repeat each other.
    Endless,
}

/// The number of readings after which the API's count is no longer believed, unless the last
/// reading showed something new.
const MIN_READS: u32 = 4;
/// The number of readings in a row without anything new after which the API's count is no
/// longer believed although the list shifts. Each page of a list that is shuffled for every
/// page misses a given event by chance, so that one reading misses it with a probability of
/// at most 1 / e, and 16 readings with one of 1 in 9 million.
const MAX_FUTILE_READS: u32 = 16;
/// The number of readings after which a sweep ends even if each reading showed something
/// new.
const MAX_READS: u32 = 64;

/// The highest number of events that the API is believed to have in one range. The ids of a
/// sweep with so many events take about 20 MB.
const MAX_CLAIM: u64 = 500_000;
/// The number of events per page, below which pages are so small that their number is bounded
/// rather than that of the events.
const SMALL_PAGE: u64 = 10;

/// The state of one sweep over one range.
#[derive(Debug)]
pub struct Sweep {
    /// The number of elements that the sweep asks for on a page.
    page_size: u64,
    /// The range that requests name.
    range: Range,
    /// The range whose events the sweep is for.
    piece: Range,
    /// `true` if the sweep ends with [`Step::Limited`] where pages end too early.
    finds_limits: bool,
    /// The number of the current reading, counted from 1.
    reads: u32,
    /// See [`Piece::pages_expected`].
    pages_expected: u64,
    /// See [`Piece::most_beyond_claim`].
    most_beyond_claim: u64,
    /// The largest number of events that a page 1 claimed, if it is believed.
    first_claim: u64,
    reading: Reading,
    /// `true` if the pages of the reading before this one ended too early.
    was_cut_off: bool,
    /// The number of readings in a row, up to the one before this one, that showed nothing
    /// new.
    futile_reads: u32,
    /// `true` if a reading before this one lacked an element that an earlier reading showed.
    shifts: bool,
    /// Every id seen, with the number of the last reading that saw it.
    last_read: HashMap<EventId, u32, FxBuildHasher>,
    times: Times,
}

impl Sweep {
    /// Returns a sweep that asks for pages of `page_size` events, and reads them again
    /// wherever they end before the claimed number of events.
    #[must_use]
    pub fn new(page_size: u64) -> Self {
        let range = Range {
            from: Timestamp::MIN,
            to: None,
        };
        Self {
            page_size,
            range,
            piece: range,
            finds_limits: false,
            reads: 1,
            pages_expected: 0,
            most_beyond_claim: MOST_BEYOND_CLAIM,
            first_claim: 0,
            reading: Reading::default(),
            was_cut_off: false,
            futile_reads: 0,
            shifts: false,
            last_read: HashMap::default(),
            times: Times::default(),
        }
    }

    /// Returns a sweep over what `piece` asks for.
    #[must_use]
    pub fn over(piece: &Piece, page_size: u64) -> Self {
        Self {
            range: piece.request,
            piece: Range {
                from: piece.from,
                to: piece.to,
            },
            finds_limits: piece.finds_limits,
            pages_expected: piece.pages_expected,
            most_beyond_claim: piece.most_beyond_claim,
            ..Self::new(page_size)
        }
    }

    /// Takes in page `number`, which was asked for.
    ///
    /// The API claims a number of pages and a number of elements, and the larger of the two
    /// claims counts. A claim that is too low is thus corrected by the other one, and a claim
    /// that is too high ends at the first empty page. A page does not lower the claim of an
    /// earlier page, so an empty answer in the middle does not make the sweep whole.
    pub fn take(&mut self, number: u64, page: &Page<'_>) {
        let reading = &mut self.reading;
        reading.pages_done += 1;
        reading.pages_asked = reading.pages_asked.max(number);
        let len = page.elements.len() as u64;
        if number == 1 {
            reading.first_len = Some(len);
            let claim = page.total_elements.filter(|claim| *claim <= MAX_CLAIM);
            self.first_claim = self.first_claim.max(claim.unwrap_or(0));
        }
        if len == 0 {
            reading.end_at(number);
        } else if reading.last.is_none_or(|last| last.number < number) {
            let has_next = page.has_next;
            reading.last = Some(LastPage {
                number,
                len,
                has_next,
            });
        }
        reading.listed += len;
        reading.claim(page);
        let is_new = self.remember(page);
        self.reading.count_stale(is_new);
    }

    /// Records that the API refuses page `number`, which was asked for: it has no such page.
    pub fn refuse(&mut self, number: u64) {
        let reading = &mut self.reading;
        reading.pages_done += 1;
        reading.pages_asked = reading.pages_asked.max(number);
        reading.end_at(number);
    }

    /// Returns a page that can be asked for while other pages are under way; `None` if there
    /// is none, or if it is not known yet whether there is one.
    pub fn next_page(&mut self) -> Option<u64> {
        let page = self.page_wanted()?;
        self.reading.pages_asked = page;
        Some(page)
    }

    /// Returns `true` if page `number` lies behind the end that the claims name, so that
    /// nothing is lost with it.
    #[must_use]
    pub fn is_beyond(&self, number: u64) -> bool {
        let reading = &self.reading;
        let linked = |last: LastPage| last.has_next && number == last.number + 1;
        reading.knows_number()
            && number > reading.pages_announced(self.page_size)
            && !reading.last.is_some_and(linked)
    }

    /// Returns `true` once page 1 was read.
    #[must_use]
    pub fn has_first(&self) -> bool {
        self.reading.first_len.is_some()
    }

    /// Returns what to do next, once no page is under way.
    #[must_use]
    pub fn step(&self) -> Step {
        if let Some(page) = self.page_wanted() {
            return Step::Read(page);
        }
        if self.is_endless() {
            return Step::Endless;
        }
        if self.finds_limits && self.is_cut_off() {
            return if self.was_cut_off {
                Step::Limited
            } else {
                Step::ReadAgain
            };
        }
        match self.missing() {
            0 => Step::Whole,
            _ if self.reads < MIN_READS => Step::ReadAgain,
            _ if self.may_find_more() && self.reads < MAX_READS => Step::ReadAgain,
            missing => Step::Short { missing },
        }
    }

    /// Begins a new reading with page 1. The events that were seen still count as seen.
    pub fn read_again(&mut self) {
        self.futile_reads = self.futile_reads_now();
        self.shifts = self.shifts_now();
        self.was_cut_off = self.is_cut_off();
        self.reads += 1;
        self.reading = Reading::default();
    }

    /// Begins a new reading with page 1 of a range that ends at `to`, in which fewer events
    /// arrive while it is read. Events that were seen in the wider range no longer count as
    /// seen: compared with what is claimed of the narrower range, they would hide that
    /// others are missing.
    pub fn read_again_narrower(&mut self, to: Timestamp) {
        self.range.to = Some(to);
        self.last_read.clear();
        self.times = Times::default();
        self.read_again();
    }

    /// Returns the number of events that the API claims.
    #[must_use]
    pub fn claimed(&self) -> u64 {
        self.reading.elements_claimed.unwrap_or(0)
    }

    /// Returns the number of different events that were seen.
    #[must_use]
    pub fn distinct(&self) -> u64 {
        self.last_read.len() as u64
    }

    /// Returns the times of creation that were seen.
    #[must_use]
    pub fn times(&self) -> Times {
        self.times
    }

    /// Returns how the sweep has ended, once [`Sweep::step`] says that it has.
    #[must_use]
    pub fn end(&self) -> SweepEnd {
        let is_limited = self.step() == Step::Limited;
        SweepEnd {
            claimed: self.claimed(),
            listed: self.reading.listed,
            distinct: self.distinct(),
            missing: self.missing(),
            is_limited,
            is_endless: self.is_endless(),
            may_be_limited: !is_limited && self.reading.may_be_limited(self.page_size),
            times: self.times,
        }
    }

    /// Remembers the ids of the page. Returns `true` if the page has an element that is new
    /// in this reading.
    fn remember(&mut self, page: &Page<'_>) -> bool {
        let mut is_new = false;
        for element in &page.elements {
            let read_before = self.last_read.insert(element.id(), self.reads);
            if read_before != Some(self.reads) {
                is_new = true;
                self.reading.shown += 1;
            }
            if read_before.is_some() {
                continue;
            }
            self.reading.found_more = true;
            if let Element::Event(event) = element
                && let Some(time) = event.created_at
            {
                self.times.add(time, self.range, self.piece);
            }
        }
        is_new
    }

    /// Returns the next page to ask for.
    fn page_wanted(&self) -> Option<u64> {
        self.page_left().filter(|_| !self.is_over_bound())
    }

    /// Returns `true` if the pages go on and on: beyond the bound of the sweep, or with a link
    /// to a next page that shows what earlier pages showed.
    fn is_endless(&self) -> bool {
        self.is_over_bound() && self.page_left().is_some()
            || self.reading.repeats_without_end(self.page_size)
    }

    /// Returns `true` if the sweep has read more than the API claimed on page 1, by more than
    /// events that are added meanwhile can explain.
    fn is_over_bound(&self) -> bool {
        let events = self.first_claim.saturating_add(self.most_beyond_claim);
        let claimed_pages = self.reading.pages_of(self.first_claim, self.page_size);
        let pages = claimed_pages.saturating_add(self.most_beyond_claim / SMALL_PAGE);
        self.distinct() > events || self.reading.pages_done > pages
    }

    /// Returns the next page that there may be. Page 1 is asked for alone unless more pages
    /// are expected, since it says how many there are.
    fn page_left(&self) -> Option<u64> {
        let reading = &self.reading;
        let (asked, done) = (reading.pages_asked, reading.pages_done);
        let wanted = if done == 0 {
            asked < self.pages_expected.max(1)
        } else if reading.has_ended() {
            false
        } else {
            let announced = asked < reading.pages_announced(self.page_size);
            announced || done >= asked && reading.goes_on()
        };
        wanted.then_some(asked + 1)
    }

    /// Returns `true` if the pages of this reading ended although the API said that more
    /// follow.
    fn is_cut_off(&self) -> bool {
        self.reading.is_cut_off(self.page_size, self.missing())
    }

    /// Returns `true` if another reading may show more. Of a list that does not shift, each
    /// reading shows the same elements.
    fn may_find_more(&self) -> bool {
        let futile = self.futile_reads_now();
        self.reading.found_more || self.shifts_now() && futile < MAX_FUTILE_READS
    }

    /// Returns the number of readings in a row, up to this one, that showed nothing new.
    fn futile_reads_now(&self) -> u32 {
        if self.reading.found_more {
            0
        } else {
            self.futile_reads + 1
        }
    }

    /// Returns `true` if a reading up to this one lacked an element that an earlier reading
    /// showed.
    fn shifts_now(&self) -> bool {
        self.shifts || self.reading.shown < self.distinct()
    }

    fn missing(&self) -> u64 {
        self.claimed().saturating_sub(self.distinct())
    }
}

#[cfg(test)]
mod cut_tests;
#[cfg(test)]
mod endless_tests;
#[cfg(test)]
mod limited_list_tests;
#[cfg(test)]
mod limited_sweep_tests;
#[cfg(test)]
mod recount_tests;
#[cfg(test)]
mod tests;
