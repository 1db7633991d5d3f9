//! How a caller drives a [`Recount`]: its settings and its steps.

use jiff::{SignedDuration, Timestamp};

use super::Range;
#[cfg(doc)]
use super::Recount;

/// Which ranges a recount is worthwhile for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecountSettings {
    /// A range with no more events than this is read whole.
    pub few: u64,
    /// The longest range that is remembered.
    pub longest: SignedDuration,
}

/// The next step of a recount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecountStep {
    /// The range is to be read. All of its pages are passed to [`Recount::take`], and
    /// [`Recount::read`] is called once they are.
    Read {
        /// The range.
        range: Range,
        /// `true` if the range begins where the poll does, so that everything up to its end
        /// is then read.
        is_whole: bool,
    },
    /// The number of events that the API claims of this request is to be passed to
    /// [`Recount::counted`].
    Count(Range),
    /// Everything that the API listed before this time is read. The open end from this time on
    /// is to be read; its pages are passed to [`Recount::take`], and then
    /// [`Recount::end_tail`] is called.
    Done {
        /// The time at which the open end begins.
        read_to: Timestamp,
    },
}
