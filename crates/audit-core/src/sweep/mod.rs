//! One sweep reads all pages of one range: which pages are still to be read, and whether
//! every event was seen. A range that holds too many events is cut into pieces.

mod cut;

pub use cut::{Cutter, PIECE_EVENTS};

use std::collections::HashMap;

use jiff::Timestamp;
use rustc_hash::FxBuildHasher;

use crate::event::{EventId, Page};

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
/// The number of pages in a row without a new element after which a reading ends. An API
/// that repeats its last page never shows an empty page. A single page without a new
/// element may come from pages that shift.
const MAX_STALE_PAGES: u32 = 3;

/// The state of one sweep over one range.
#[derive(Debug)]
pub struct Sweep {
    /// The number of elements that a full page has.
    page_size: u64,
    /// The number of the current reading, counted from 1.
    reads: u32,
    /// See [`Sweep::expect_pages`].
    pages_expected: u64,
    /// The number of the last page that this reading has asked for.
    pages_asked: u64,
    /// The number of pages that this reading has taken.
    pages_read: u64,
    /// The largest number of pages that a page of this reading claimed.
    pages_claimed: u64,
    /// The largest number of elements that a page of this reading claimed.
    elements_claimed: u64,
    /// `true` if the last page taken was empty.
    page_was_empty: bool,
    /// The number of pages in a row that had nothing new for this reading.
    stale_pages: u32,
    /// The number of different elements that this reading has shown.
    shown: u64,
    /// `true` if this reading showed an element that no earlier reading did.
    found_more: bool,
    /// The number of readings in a row, up to the one before this one, that showed nothing
    /// new.
    futile_reads: u32,
    /// `true` if a reading before this one lacked an element that an earlier reading showed.
    shifts: bool,
    /// Every id seen, with the number of the last reading that saw it.
    last_read: HashMap<EventId, u32, FxBuildHasher>,
}

impl Sweep {
    /// Returns a sweep that asks for pages of `page_size` events.
    #[must_use]
    pub fn new(page_size: u64) -> Self {
        Self {
            page_size,
            reads: 1,
            pages_expected: 0,
            pages_asked: 0,
            pages_read: 0,
            pages_claimed: 0,
            elements_claimed: 0,
            page_was_empty: false,
            stale_pages: 0,
            shown: 0,
            found_more: false,
            futile_reads: 0,
            shifts: false,
            last_read: HashMap::default(),
        }
    }

    /// Takes in a page that was asked for.
    ///
    /// The API claims a number of pages and a number of elements, and the larger of the two
    /// claims counts. A claim that is too low is thus corrected by the other one, and a claim
    /// that is too high ends at the first empty page. A page does not lower the claim of an
    /// earlier page, so an empty answer in the middle does not make the sweep whole.
    pub fn take(&mut self, page: &Page<'_>) {
        self.pages_read += 1;
        self.pages_asked = self.pages_asked.max(self.pages_read);
        self.page_was_empty = page.elements.is_empty();
        self.stale_pages = if self.remember(page) {
            0
        } else {
            self.stale_pages + 1
        };
        self.pages_claimed = self.pages_claimed.max(self.pages_claimed_by(page));
        self.elements_claimed = self.elements_claimed.max(page.total_elements.unwrap_or(0));
    }

    /// Lets [`Sweep::next_page`] return the first `pages` pages before page 1 has said how
    /// many there are.
    pub fn expect_pages(&mut self, pages: u64) {
        self.pages_expected = pages;
    }

    /// Returns a page that can be asked for while other pages are under way; `None` if there
    /// is none, or if it is not known yet whether there is one.
    pub fn next_page(&mut self) -> Option<u64> {
        let page = self.page_wanted()?;
        self.pages_asked = page;
        Some(page)
    }

    /// Returns what to do next, once no page is under way.
    #[must_use]
    pub fn step(&self) -> Step {
        if let Some(page) = self.page_wanted() {
            return Step::Read(page);
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
        self.reads += 1;
        self.pages_asked = 0;
        self.pages_read = 0;
        self.pages_claimed = 0;
        self.elements_claimed = 0;
        self.page_was_empty = false;
        self.stale_pages = 0;
        self.shown = 0;
        self.found_more = false;
    }

    /// Begins a new reading with page 1 of a narrower range, in which fewer events arrive
    /// while it is read. Events that were seen in the wider range no longer count as seen:
    /// compared with what is claimed of the narrower range, they would hide that others are
    /// missing.
    pub fn read_again_narrower(&mut self) {
        self.last_read.clear();
        self.read_again();
    }

    /// Returns the number of events that the API claims.
    #[must_use]
    pub fn claimed(&self) -> u64 {
        self.elements_claimed
    }

    /// Returns the number of different events that were seen.
    #[must_use]
    pub fn distinct(&self) -> u64 {
        self.last_read.len() as u64
    }

    /// Remembers the ids of the page. Returns `true` if the page has an element that is new
    /// in this reading.
    fn remember(&mut self, page: &Page<'_>) -> bool {
        let mut is_new = false;
        for element in &page.elements {
            let read_before = self.last_read.insert(element.id(), self.reads);
            if read_before != Some(self.reads) {
                is_new = true;
                self.shown += 1;
            }
            self.found_more |= read_before.is_none();
        }
        is_new
    }

    fn pages_claimed_by(&self, page: &Page<'_>) -> u64 {
        let full = page.elements.len() as u64 >= self.page_size;
        match (page.total_pages, page.total_elements) {
            // Without a number of elements nothing else corrects the number of pages, so
            // another page is expected after each full page.
            (pages, None) if full => pages.unwrap_or(0).max(self.pages_read + 1),
            (pages, elements) => pages
                .unwrap_or(0)
                .max(elements.unwrap_or(0).div_ceil(self.page_size)),
        }
    }

    /// Returns the next page to ask for. Page 1 is asked for alone unless more pages are
    /// expected, since it says how many there are.
    fn page_wanted(&self) -> Option<u64> {
        let first = self.pages_read == 0 && self.pages_asked < self.pages_expected.max(1);
        let more = self.pages_read > 0 && self.pages_asked < self.pages_claimed && !self.ended();
        (first || more).then_some(self.pages_asked + 1)
    }

    fn ended(&self) -> bool {
        self.page_was_empty || self.stale_pages >= MAX_STALE_PAGES
    }

    /// Returns `true` if another reading may show more. Of a list that does not shift, each
    /// reading shows the same elements.
    fn may_find_more(&self) -> bool {
        self.found_more || self.shifts_now() && self.futile_reads_now() < MAX_FUTILE_READS
    }

    /// Returns the number of readings in a row, up to this one, that showed nothing new.
    fn futile_reads_now(&self) -> u32 {
        if self.found_more {
            0
        } else {
            self.futile_reads + 1
        }
    }

    /// Returns `true` if a reading up to this one lacked an element that an earlier reading
    /// showed.
    fn shifts_now(&self) -> bool {
        self.shifts || self.shown < self.distinct()
    }

    fn missing(&self) -> u64 {
        self.elements_claimed.saturating_sub(self.distinct())
    }
}

#[cfg(test)]
mod tests;
