//! What was covered, so that nobody mistakes an idle harness for a passed test.

use std::{fmt, ops::AddAssign};

/// What histories went through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) histories: u64,
    pub(crate) simulated_ms: i64,
    pub(crate) events: u64,
    pub(crate) crashes: u64,
    pub(crate) crashes_in_commit: u64,
    pub(crate) requests: u64,
    pub(crate) requests_failed: u64,
    pub(crate) commits: u64,
    pub(crate) commits_failed: u64,
    pub(crate) scrapes: u64,
    pub(crate) scrapes_missed: u64,
    /// Series that a scraper saw begin, at 0.
    pub(crate) first_events_seen: u64,
    /// Steps that a scraper saw between two samples of the promised distance.
    pub(crate) steps_in_window: u64,
    /// Steps further apart, since the scraper itself was away while others came.
    pub(crate) steps_over_own_absence: u64,
    /// Steps further apart, since they were on show already when everyone went
    /// away or the exporter died.
    pub(crate) steps_over_outage: u64,
    /// Series that began above 0 for a scraper that was away beyond patience.
    pub(crate) beyond_patience: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.histories += other.histories;
        self.simulated_ms += other.simulated_ms;
        self.events += other.events;
        self.crashes += other.crashes;
        self.crashes_in_commit += other.crashes_in_commit;
        self.requests += other.requests;
        self.requests_failed += other.requests_failed;
        self.commits += other.commits;
        self.commits_failed += other.commits_failed;
        self.scrapes += other.scrapes;
        self.scrapes_missed += other.scrapes_missed;
        self.first_events_seen += other.first_events_seen;
        self.steps_in_window += other.steps_in_window;
        self.steps_over_own_absence += other.steps_over_own_absence;
        self.steps_over_outage += other.steps_over_outage;
        self.beyond_patience += other.beyond_patience;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{} histories, {} simulated hours",
            self.histories,
            self.simulated_ms / crate::clock::HOUR
        )?;
        writeln!(
            formatter,
            "{} events, {} crashes ({} of them in a commit)",
            self.events, self.crashes, self.crashes_in_commit
        )?;
        writeln!(
            formatter,
            "{} requests ({} failed), {} commits ({} failed), {} scrapes ({} missed)",
            self.requests,
            self.requests_failed,
            self.commits,
            self.commits_failed,
            self.scrapes,
            self.scrapes_missed
        )?;
        writeln!(
            formatter,
            "series that began at 0 for a scraper: {}, and above 0 beyond patience: {}",
            self.first_events_seen, self.beyond_patience
        )?;
        write!(
            formatter,
            "steps within the window: {}, over a scraper's own absence: {}, over an outage: {}",
            self.steps_in_window, self.steps_over_own_absence, self.steps_over_outage
        )
    }
}
