//! The metrics of the event log of one account.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use audit_core::outbox::Written;

use super::values::Counter;

/// The metrics of the event log of one account. Clones show the same values.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventLogMetrics {
    pub(crate) failures: Arc<Counter>,
    numbers: Arc<ArcSwap<LineNumbers>>,
}

/// The numbers of the last line that is stored, and of the last one that is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineNumbers {
    pub(crate) stored: Arc<AtomicU64>,
    pub(crate) written: Written,
}

impl EventLogMetrics {
    /// Shows the lines between these numbers from now on.
    pub(crate) fn follow(&self, numbers: LineNumbers) {
        self.numbers.store(numbers.into());
    }

    /// Returns the number of lines that are stored and not written. It is computed when it is
    /// asked for, since commits and the writer change the numbers at the same time.
    pub(crate) fn pending(&self) -> u64 {
        let numbers = self.numbers.load();
        // A line is written only after it is stored, so this order counts none twice.
        let written = numbers.written.get();
        let stored = numbers.stored.load(Ordering::Acquire);
        stored.saturating_sub(written)
    }
}
