//! Counts of what the histories covered, so that a test in which little happens is noticed.

use std::{fmt, ops::AddAssign};

/// Counts over histories.
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
    /// Series that began at 0 for a scraper.
    pub(crate) first_events_seen: u64,
    /// Steps between two samples that are no further apart than promised.
    pub(crate) steps_in_window: u64,
    /// Steps between samples further apart, because the scraper was away while others
    /// scraped.
    pub(crate) steps_over_own_absence: u64,
    /// Steps between samples further apart, because the new value was decided to be shown
    /// before all scrapers went away or the exporter died.
    pub(crate) steps_over_outage: u64,
    /// Series that began above 0 for a scraper that was away for `LONGEST_ABSENCE`.
    pub(crate) after_long_absence: u64,
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
        self.after_long_absence += other.after_long_absence;
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
            "series that began at 0 for a scraper: {}, and above 0 after a long absence: {}",
            self.first_events_seen, self.after_long_absence
        )?;
        write!(
            formatter,
            "steps within the window: {}, over a scraper's own absence: {}, over an outage: {}",
            self.steps_in_window, self.steps_over_own_absence, self.steps_over_outage
        )
    }
}
