//! One sweep: which pages are still to be read, and whether it was whole.

use std::collections::HashSet;

use jiff::Timestamp;

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

/// How often pages are read again before the API's count is no longer believed.
const MAX_READS: u32 = 4;

/// The state of one sweep over one range.
#[derive(Debug)]
pub struct Sweep {
    size: u64,
    reads: u32,
    pages_read: u64,
    pages_claimed: u64,
    elements_claimed: u64,
    page_was_empty: bool,
    distinct: HashSet<EventId>,
}

impl Sweep {
    /// A sweep that asks for `size` events a page.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self {
            size,
            reads: 1,
            pages_read: 0,
            pages_claimed: 1,
            elements_claimed: 0,
            page_was_empty: false,
            distinct: HashSet::new(),
        }
    }

    /// Takes in the page that was asked for.
    ///
    /// What the API claims of pages and elements is believed as far as pages are
    /// not empty: a count that is too low is corrected by the other one, and one
    /// that is too high ends at the first empty page.
    pub fn take(&mut self, page: &Page<'_>) {
        self.pages_read += 1;
        self.page_was_empty = page.entries.is_empty();
        self.distinct
            .extend(page.entries.iter().map(crate::event::Entry::id));
        let full = page.entries.len() as u64 >= self.size;
        self.elements_claimed = page.total_elements.unwrap_or(0);
        self.pages_claimed = match (page.total_pages, page.total_elements) {
            (None, None) if full => self.pages_read + 1,
            (pages, elements) => pages
                .unwrap_or(0)
                .max(elements.unwrap_or(0).div_ceil(self.size)),
        };
    }

    /// What to do next.
    #[must_use]
    pub fn step(&self) -> Step {
        if self.pages_read == 0 || (self.pages_read < self.pages_claimed && !self.page_was_empty) {
            return Step::Read(self.pages_read + 1);
        }
        match self.missing() {
            0 => Step::Whole,
            _ if self.reads < MAX_READS => Step::ReadAgain,
            missing => Step::Short { missing },
        }
    }

    /// Begins again with page 1; what was seen stays seen.
    pub fn read_again(&mut self) {
        self.reads += 1;
        self.pages_read = 0;
        self.page_was_empty = false;
    }

    /// How many different events were seen.
    #[must_use]
    pub fn distinct(&self) -> u64 {
        self.distinct.len() as u64
    }

    fn missing(&self) -> u64 {
        self.elements_claimed.saturating_sub(self.distinct())
    }
}
