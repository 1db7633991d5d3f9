//! Deliberate faults, behind the model or in the wiring: the harness must catch
//! each of them.

/// A deliberate fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// A commit is said to be durable when it is not; the next one stores it.
    ShowBeforeCommit,
    /// Watermark and ids are stored first, counters in a second transaction.
    CursorFirst,
    /// The gate is off: a new series begins with its events.
    NoHold,
    /// A new series is released when one scraper has seen it at 0.
    HoldUntilOneSawIt,
    /// A poll reads from the watermark on.
    NoLookback,
    /// Counters begin again at 0, and the cursor does not.
    CountersInMemory,
    /// Ids are not stored.
    IdsInMemory,
    /// Who scraped is not stored.
    ScrapersInMemory,
    /// No standstill after a start: the gate believes that someone scraped all
    /// along.
    GapUnnoticed,
}
