//! Deliberate faults, either in a model or in how the process is put together. The test
//! must catch each of them.

/// A deliberate fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// A commit returns success although it is not durable. The next commit stores it.
    ShowBeforeCommit,
    /// The watermark and the ids are stored first, and the counters in a second
    /// transaction.
    WindowFirst,
    /// The gate is off, so a new series begins with its events.
    GateOff,
    /// The gate waits only for the first scraper before it lets a new series step from 0.
    HoldForOneScraper,
    /// A poll reads from the watermark, without the lookback.
    NoLookback,
    /// A poll believes that it knows the lookback: asked for the number of events, the API
    /// claims no more than it has shown.
    NumberTrusted,
    /// Counters begin at 0 after a restart, while the window does not.
    CountersInMemory,
    /// Ids are not stored.
    IdsInMemory,
    /// The scrapers are not stored.
    ScrapersInMemory,
    /// The gate does not stand still after a start: it is made to believe that a server
    /// scraped all the time.
    NoStandstill,
    /// Neither the clock of the gate nor since when a count waits is stored.
    WaitsInMemory,
    /// It is not stored how many events a bound let through.
    TimeoutsInMemory,
    /// An answer that is cut off counts as served.
    CutIsServed,
    /// Every stranger is a server whose interval is known.
    StrangersAreServers,
    /// Each server is a product of its own, so that none is taken for the successor of
    /// another.
    NoSuccessor,
    /// A process that is replaced does not wait until servers were served.
    NoLastCall,
    /// The gate stands still when H grows: it is made to believe that no server scraped for
    /// a while.
    HoldGrowthStops,
}
