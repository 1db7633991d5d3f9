//! The state of a history: the exporter, its disk, and the servers that scrape it.

use std::{fmt, sync::Arc, time::Duration};

use audit_core::{
    gate::{SavedGate, SavedScraper},
    ledger::{Changes, SavedCounter},
};

use crate::process::Process;

/// The number of counters: two series, and the event type that both of them have.
pub(crate) const COUNTERS: usize = 3;
/// The place of the counter of the event type.
pub(crate) const TYPE: usize = 2;
/// The names of the counters.
pub(crate) const NAMES: [&str; COUNTERS] = ["a", "b", "the type"];

/// A value of each counter; `None` for a counter that does not exist.
pub(crate) type Values = [Option<u64>; COUNTERS];

/// The state of a history.
#[derive(Clone)]
pub(crate) struct State {
    /// The time since the beginning.
    pub(crate) now: Duration,
    /// The number of ticks since the first server was due.
    pub(crate) phase: u8,
    pub(crate) spent: Spent,
    pub(crate) disk: Arc<Disk>,
    pub(crate) exporter: Exporter,
    pub(crate) servers: [Server; 2],
    /// The number of the name by which the servers call the exporter.
    pub(crate) name: u8,
    /// For each counter, the time since which a stored count waits to be shown.
    pub(crate) waiting: [Option<Duration>; COUNTERS],
}

/// The numbers of things that have happened, of those that a scope limits.
#[derive(Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) crashes: u8,
    pub(crate) lost: u8,
    pub(crate) cut: u8,
    pub(crate) last_calls: u8,
    pub(crate) absences: u8,
    pub(crate) outages: u8,
}

impl Spent {
    pub(crate) fn all(self) -> [u64; 6] {
        let Self {
            crashes,
            lost,
            cut,
            last_calls,
            absences,
            outages,
        } = self;
        [crashes, lost, cut, last_calls, absences, outages].map(u64::from)
    }
}

/// What is durable.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    pub(crate) counters: [Option<SavedCounter>; COUNTERS],
    pub(crate) gate_timeouts: u64,
    pub(crate) gate: SavedGate,
    /// The time at which the last commit became durable.
    pub(crate) stored_at: Duration,
}

impl State {
    /// Returns how long ago `time` was.
    pub(crate) fn since(&self, time: Duration) -> Duration {
        self.now.saturating_sub(time)
    }
}

impl Disk {
    /// Stores a commit.
    pub(crate) fn store(&mut self, changes: &Changes, gate: &SavedGate, now: Duration) {
        for (place, saved) in changed(changes) {
            self.counters[place] = Some(saved);
        }
        self.gate_timeouts = changes.gate_timeouts;
        self.gate = gate.clone();
        self.stored_at = now;
    }

    /// Returns `true` if the stored scrapers are those of `gate`.
    pub(crate) fn knows(&self, gate: &SavedGate) -> bool {
        let facts = |known: &SavedScraper| (known.id, known.product, known.target, known.interval);
        let stored = self.gate.scrapers.iter().map(facts);
        stored.eq(gate.scrapers.iter().map(facts))
    }

    /// Returns the published values.
    pub(crate) fn published(&self) -> Values {
        self.counters.map(|counter| Some(counter?.published))
    }

    /// Returns the totals.
    pub(crate) fn totals(&self) -> Values {
        self.counters.map(|counter| Some(counter?.total))
    }
}

/// Returns the places of the counters that `changes` changes, with their new values.
pub(crate) fn changed(changes: &Changes) -> impl Iterator<Item = (usize, SavedCounter)> {
    let series = changes.series.iter().map(|change| {
        let place = usize::from(&*change.key.source == NAMES[1]);
        (place, change.saved)
    });
    series.chain(changes.types.iter().map(|change| (TYPE, change.saved)))
}

/// The exporter.
#[derive(Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "in nearly every state a process runs"
)]
pub(crate) enum Exporter {
    /// No process runs, for this number of ticks so far.
    Down { ticks: u8 },
    /// A process runs.
    Up(Process),
}

/// The name of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerName {
    A,
    B,
}

impl ServerName {
    pub(crate) const ALL: [Self; 2] = [Self::A, Self::B];

    /// Returns the place of the server in [`State::servers`].
    pub(crate) fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// A server that scrapes.
#[derive(Clone, Default)]
pub(crate) struct Server {
    pub(crate) scrape: ScrapeStage,
    /// `true` if the last answer was lost or cut off.
    pub(crate) has_missed: bool,
    /// `true` if the last answer that the gate recorded was lost.
    pub(crate) has_lost_recorded: bool,
    /// The time of the last answer that the gate recorded.
    pub(crate) recorded: Option<Duration>,
    pub(crate) is_away: bool,
    /// The time of the last recorded answer before the server went away, until the server
    /// sees events again.
    pub(crate) left: Option<Duration>,
    /// The values of the last answer with events under the present name.
    pub(crate) last: Option<Values>,
    /// The last values under the name before, until an answer under the present one.
    pub(crate) before_rename: Option<Values>,
    /// For each counter, the number of events that the answers did not show as increases.
    pub(crate) unseen: [u64; COUNTERS],
}

/// How far the scrape of a server is.
#[derive(Clone, Default)]
pub(crate) enum ScrapeStage {
    /// No scrape is due, or it has ended.
    #[default]
    Ended,
    /// A scrape is due in this tick.
    Due,
    /// The scrape waits until the gate has stored the server.
    Announced,
    /// The answer is made, and not sent yet.
    Answered(Answer),
}

/// An answer.
#[derive(Clone)]
pub(crate) struct Answer {
    /// The generation that the answer shows; 0 if it shows no events.
    pub(crate) generation: u64,
    /// The values; `None` if the answer shows no events.
    pub(crate) values: Option<Values>,
}

impl Server {
    pub(crate) fn is_due(&self) -> bool {
        matches!(self.scrape, ScrapeStage::Due)
    }

    /// Returns the answer that is made and not sent yet.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match &self.scrape {
            ScrapeStage::Answered(answer) => Some(answer),
            _ => None,
        }
    }

    /// Ends the scrape. Returns the answer if it is made.
    pub(crate) fn end_scrape(&mut self) -> Option<Answer> {
        match std::mem::take(&mut self.scrape) {
            ScrapeStage::Answered(answer) => Some(answer),
            _ => None,
        }
    }
}

/// Values as a person reads them.
pub(crate) struct Shown<'v>(pub(crate) &'v Values);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.0.iter().zip(NAMES);
        let shown = named.filter_map(|(value, name)| Some(format!("{name} {}", (*value)?)));
        let shown: Vec<String> = shown.collect();
        if shown.is_empty() {
            return formatter.write_str("no series");
        }
        formatter.write_str(&shown.join(", "))
    }
}
