//! What a stored account is ahead in.

use jiff::Timestamp;

/// The number of counters of which [`SomeCounters`] has the names.
const NAMED: usize = 5;

/// All that a stored account is ahead in of one that is to be imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conflicts {
    /// The stored watermark, and the imported one, which is earlier.
    pub watermark: Option<(Timestamp, Option<Timestamp>)>,
    /// `true` if the stored account has counted all of its history, and the imported one
    /// has not.
    pub history: bool,
    /// The counters whose total or published value would fall.
    pub falling: SomeCounters,
    /// The counters that would vanish.
    pub missing: SomeCounters,
    /// The number of counted events that the imported account does not know.
    pub unknown_ids: u64,
}

/// Some counters, of which the first are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SomeCounters {
    /// The number of counters.
    pub count: u64,
    /// The names of the first of them, as metrics name their series.
    pub first: Vec<String>,
}

impl SomeCounters {
    pub(super) fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(name());
        }
    }
}
