//! Deliberate faults in how the process is put together. The search must find each of them.

/// A deliberate fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A commit is shown before it is durable.
    ShownBeforeDurable,
    /// The gate is not told of the second server, which is shown all the same.
    SecondServerUnknown,
    /// A server is shown events although it is not stored yet.
    UnstoredShown,
    /// The gate records an answer that was cut off.
    CutCountsAsServed,
    /// The gate records the newest generation instead of the one that was sent.
    NewestRecorded,
    /// A process does not know the scrapers that an earlier one has stored.
    ScrapersForgotten,
    /// A process does not know how long counts have waited already.
    WaitsForgotten,
    /// The process ends without waiting for the servers.
    LastCallSkipped,
    /// A process that is told to end does not show the commit under way.
    LastCommitNotShown,
}
