//! One sweep: which pages are still to be read, and whether it was whole.

mod cut;

pub use cut::{Cutter, PIECE_EVENTS};

use std::collections::HashMap;

use jiff::Timestamp;
use rustc_hash::FxBuildHasher;

use crate::event::{EventId, Page};

/// The range of creation times that a sweep asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first moment asked for.
    pub from: Timestamp,
    /// The last one; open where it is `None`.
    pub to: Option<Timestamp>,
}

/// What a sweep wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Read this page, counted from 1.
    Read(u64),
    /// Pages shifted while they were read: begin again with page 1.
    ReadAgain,
    /// Every event that the API says there is was seen.
    Whole,
    /// Read several times, and the API still says that there is more than it
    /// shows.
    Short {
        /// How many more.
        missing: u64,
    },
}

/// How often pages are read at least before the API's count is no longer believed,
/// and how often at most while each reading brings something new.
const MIN_READS: u32 = 4;
const MAX_READS: u32 = 64;

/// After how many pages in a row that only repeat what this reading has shown
/// it ends: an API that repeats its last page would otherwise never come to an
/// empty one. One such page may be an accident of pages that shift.
const MAX_STALE_PAGES: u32 = 3;

/// The state of one sweep over one range.
#[derive(Debug)]
pub struct Sweep {
    size: u64,
    reads: u32,
    pages_expected: u64,
    pages_asked: u64,
    pages_read: u64,
    pages_claimed: u64,
    elements_claimed: u64,
    page_was_empty: bool,
    stale_pages: u32,
    /// This reading showed something that none before it did.
    found_more: bool,
    /// Every id seen, and the reading that saw it last.
    last_read: HashMap<EventId, u32, FxBuildHasher>,
}

impl Sweep {
    /// A sweep that asks for `size` events a page.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self {
            size,
            reads: 1,
            pages_expected: 0,
            pages_asked: 0,
            pages_read: 0,
            pages_claimed: 0,
            elements_claimed: 0,
            page_was_empty: false,
            stale_pages: 0,
            found_more: false,
            last_read: HashMap::default(),
        }
    }

    /// Takes in the page that was asked for.
    ///
    /// What the API claims of pages and elements is believed as far as pages
    /// bring something: a count that is too low is corrected by the other one,
    /// one that is too high ends at the first empty page. No page takes back what
    /// another claimed, so that an empty answer in the middle is no end.
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

    /// So many pages at least are expected, so that they may be asked for before
    /// the first has told how many there are.
    pub fn expect_pages(&mut self, pages: u64) {
        self.pages_expected = pages;
    }

    /// A page that may be asked for while others are under way; `None` while
    /// there is none, or none yet.
    pub fn next_page(&mut self) -> Option<u64> {
        let page = self.page_wanted()?;
        self.pages_asked = page;
        Some(page)
    }

    /// What to do next, once no page is under way.
    #[must_use]
    pub fn step(&self) -> Step {
        if let Some(page) = self.page_wanted() {
            return Step::Read(page);
        }
        match self.missing() {
            0 => Step::Whole,
            _ if self.reads < MIN_READS => Step::ReadAgain,
            _ if self.found_more && self.reads < MAX_READS => Step::ReadAgain,
            missing => Step::Short { missing },
        }
    }

    /// Begins again with page 1; what was seen stays seen.
    pub fn read_again(&mut self) {
        self.reads += 1;
        self.pages_asked = 0;
        self.pages_read = 0;
        self.pages_claimed = 0;
        self.elements_claimed = 0;
        self.page_was_empty = false;
        self.stale_pages = 0;
        self.found_more = false;
    }

    /// Begins again with page 1 of a narrower range, in which less may arrive
    /// meanwhile. What was seen of the wider one must not be set against what is
    /// claimed of this one: it would make up for events that are missing.
    pub fn read_again_narrower(&mut self) {
        self.last_read.clear();
        self.read_again();
    }

    /// How many events the API says there are.
    #[must_use]
    pub fn claimed(&self) -> u64 {
        self.elements_claimed
    }

    /// How many different events were seen.
    #[must_use]
    pub fn distinct(&self) -> u64 {
        self.last_read.len() as u64
    }

    /// Whether the page shows anything that this reading has not shown before.
    fn remember(&mut self, page: &Page<'_>) -> bool {
        let mut news = false;
        for element in &page.elements {
            let read_before = self.last_read.insert(element.id(), self.reads);
            news |= read_before != Some(self.reads);
            self.found_more |= read_before.is_none();
        }
        news
    }

    fn pages_claimed_by(&self, page: &Page<'_>) -> u64 {
        let full = page.elements.len() as u64 >= self.size;
        match (page.total_pages, page.total_elements) {
            // Without a number of events nothing would correct the number of pages.
            (pages, None) if full => pages.unwrap_or(0).max(self.pages_read + 1),
            (pages, elements) => pages
                .unwrap_or(0)
                .max(elements.unwrap_or(0).div_ceil(self.size)),
        }
    }

    /// Page 1 comes alone, unless more are expected: it tells how many there are.
    fn page_wanted(&self) -> Option<u64> {
        let first = self.pages_read == 0 && self.pages_asked < self.pages_expected.max(1);
        let more = self.pages_read > 0 && self.pages_asked < self.pages_claimed && !self.ended();
        (first || more).then_some(self.pages_asked + 1)
    }

    fn ended(&self) -> bool {
        self.page_was_empty || self.stale_pages >= MAX_STALE_PAGES
    }

    fn missing(&self) -> u64 {
        self.elements_claimed.saturating_sub(self.distinct())
    }
}

#[cfg(test)]
mod tests;
