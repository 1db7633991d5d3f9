//! The search for the part of a range in which elements are listed that are not known.

use jiff::Timestamp;

/// The search for elements that are listed and not known: from the last reading back in longer
/// and longer steps, and then by halves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    /// The number of unknown elements.
    pub(super) unknown: u64,
    /// A place from which on all of them are listed.
    pub(super) low: usize,
    /// A later place, from which on not all of them are listed.
    pub(super) high: usize,
    /// The number of readings by which the next step goes back at most.
    pub(super) stride: usize,
    /// The end of the part in which unknown elements may be.
    pub(super) to: Timestamp,
}

impl Search {
    /// Returns the place from which on elements are counted next.
    pub(super) fn place(self) -> usize {
        let middle = usize::midpoint(self.low, self.high);
        middle.max(self.high.saturating_sub(self.stride))
    }

    /// Returns `true` if only one place is left, which [`Search::low`] names.
    pub(super) fn has_found(self) -> bool {
        self.high - self.low <= 1
    }
}
