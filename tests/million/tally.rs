//! Counts of what the histories covered, so that a test in which little happens is noticed.

use std::{fmt, ops::AddAssign};

use crate::{
    clock::{HOUR, SECOND},
    plan::Plan,
};

/// Declares the counts, each with the words by which it is printed.
macro_rules! counts {
    ($($name:ident: $words:literal,)*) => {
        /// Counts over histories.
        #[derive(Debug, Clone, Copy, Default)]
        pub(crate) struct Tally {
            $(pub(crate) $name: u64,)*
            pub(crate) simulated_ms: u64,
            /// The longest waits in effective time: of a series that was seen, of a new
            /// series, and of a new series in a calm.
            pub(crate) longest_waits: [i64; 3],
        }

        impl Tally {
            fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($words, self.$name),)*].into_iter()
            }

            fn add_counts(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counts! {
    histories: "histories",
    events: "events",
    crashes: "crashes",
    crashes_in_commit: "crashes in a commit",
    crash_loops: "crash loops",
    crashes_in_loop: "crashes in crash loops",
    requests: "requests to the API",
    requests_failed: "requests to the API that failed",
    commits: "commits",
    commits_failed: "commits that failed",
    scrapes: "scrapes",
    scrapes_missed: "scrapes that were missed or lost",
    scrapes_cut: "answers that were cut off",
    strangers: "strangers",
    swarms: "histories with more strangers than are remembered",
    requests_of_strangers: "requests of strangers",
    servers: "servers",
    left: "servers that left for good",
    successors: "servers that followed one that left",
    without_limit: "servers that state no time limit",
    behind_proxy: "servers that share a connection",
    renames_told: "changes of a target's name that were told",
    pools_told: "scrapes at which one server looked like several",
    replacements: "replacements of the process",
    last_calls_in_vain: "last calls that not every server answered",
    last_calls_checked: "first samples after a last call",
    backups: "older copies of the disk that were put back",
    first_events_seen: "series that began at 0 for a server",
    after_long_absence: "series that began above 0 after a long absence",
    began_for_unknown: "series that began above 0 for a server of unknown interval",
    began_for_followed: "series that began above 0 for a server that another followed",
    steps_in_window: "steps within the window",
    steps_over_own_absence: "steps over a server's own absence",
    steps_over_outage: "steps over an outage that were decided before or let through",
    steps_for_unknown: "steps for a server of unknown interval",
    histories_with_timeouts: "histories in which a bound ruled",
    timeouts: "events that a bound let through",
    lost_by_bound: "of which a server did not see as an increase",
    calm_waits: "waits of a new series in a calm",
}

impl Tally {
    /// Counts what is planned.
    pub(crate) fn add_plan(&mut self, plan: &Plan) {
        let servers = |is: &dyn Fn(&crate::plan::ScraperPlan) -> bool| {
            plan.scrapers.iter().filter(|server| is(server)).count() as u64
        };
        self.servers = servers(&|_| true);
        self.left = servers(&|server| server.leaves.is_some());
        self.successors = servers(&|server| server.is_successor);
        self.without_limit = servers(&|server| !server.states_limit);
        self.behind_proxy = servers(&|server| server.proxy_connection.is_some());
        self.strangers = plan.strangers.len() as u64;
        self.swarms = u64::from(plan.strangers.len() > 64);
        self.crash_loops = u64::from(plan.crashes.crash_loop.is_some());
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.add_counts(&other);
        self.simulated_ms += other.simulated_ms;
        for (longest, wait) in self.longest_waits.iter_mut().zip(other.longest_waits) {
            *longest = wait.max(*longest);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.simulated_ms / HOUR.unsigned_abs();
        writeln!(formatter, "{hours:>11} simulated hours")?;
        for (words, count) in self.counts() {
            writeln!(formatter, "{count:>11} {words}")?;
        }
        let [seen, new, calm] = self.longest_waits.map(|wait| wait / SECOND);
        writeln!(
            formatter,
            "longest waits: {seen} s of a series that was seen, {new} s of a new one, {calm} s of a new one in a calm"
        )
    }
}
