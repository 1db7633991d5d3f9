//! The scopes: what may happen in a history, and how often.

use std::time::Duration;

use audit_core::gate::ScrapeInterval;

use crate::fault::Fault;

/// A time for which the exporter is down at once, longer than the gate waits for a server.
pub(crate) const LONG_OUTAGE: Duration = Duration::from_mins(11);

/// What may happen in a history, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    pub(crate) size: Size,
    /// `true` if the gate knows both servers from the beginning, and runs.
    pub(crate) is_warm: bool,
    pub(crate) setting: ScrapeInterval,
    pub(crate) tick: Duration,
    /// The number of ticks from one scrape of a server to the next.
    pub(crate) interval: u8,
    /// The number of ticks by which the second server scrapes after the first.
    pub(crate) second_after: u8,
    /// The number of events in both series together.
    pub(crate) events: u8,
    pub(crate) series: u8,
    /// The number of crashes. `None` stands for any number of them, as long as each process
    /// lives until it has committed.
    pub(crate) crashes: Option<u8>,
    /// The longest time from a crash to the next start, in ticks.
    pub(crate) longest_down: u8,
    /// The number of answers that are sent whole, so that the gate records them, and lost.
    pub(crate) lost: u8,
    /// The number of answers that are cut off, so that the gate does not record them.
    pub(crate) cut: u8,
    /// The number of last calls, each followed by a start under another name.
    pub(crate) last_calls: u8,
    /// The number of times that a server goes away.
    pub(crate) absences: u8,
    /// The number of times that the exporter is down for [`LONG_OUTAGE`].
    pub(crate) outages: u8,
    pub(crate) fault: Option<Fault>,
}

/// The size of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// A build without optimization visits all states within seconds.
    Small,
    /// Visited by `make every-history`, in a build with optimization.
    Large,
}

impl Size {
    /// Returns the number of states from which a search is given up. It is many times the
    /// number that there are.
    pub(crate) fn most_states(self) -> usize {
        match self {
            Self::Small => 100_000,
            Self::Large => 20_000_000,
        }
    }
}

/// Two servers that scrape every minute, which the gate knows. Nothing happens.
const CALM: Scope = Scope {
    name: "",
    size: Size::Small,
    is_warm: true,
    setting: ScrapeInterval::Fixed(MINUTE),
    tick: MINUTE,
    interval: 1,
    second_after: 0,
    events: 1,
    series: 2,
    crashes: Some(0),
    longest_down: 1,
    lost: 0,
    cut: 0,
    last_calls: 0,
    absences: 0,
    outages: 0,
    fault: None,
};

const MINUTE: Duration = Duration::from_mins(1);

/// The scopes.
pub(crate) const SCOPES: [Scope; 22] = [
    Scope {
        name: "three events",
        events: 3,
        ..CALM
    },
    Scope {
        name: "a crash",
        events: 2,
        crashes: Some(1),
        ..CALM
    },
    Scope {
        name: "two crashes",
        crashes: Some(2),
        ..CALM
    },
    Scope {
        name: "missed answers",
        lost: 1,
        cut: 1,
        ..CALM
    },
    Scope {
        name: "cut answers",
        cut: 2,
        ..CALM
    },
    Scope {
        name: "last call",
        lost: 1,
        last_calls: 1,
        ..CALM
    },
    Scope {
        name: "crash loop",
        crashes: None,
        events: 2,
        series: 1,
        ..CALM
    },
    Scope {
        name: "first servers",
        is_warm: false,
        crashes: Some(1),
        ..CALM
    },
    Scope {
        name: "one server after the other",
        tick: Duration::from_secs(30),
        interval: 2,
        second_after: 1,
        crashes: Some(1),
        ..CALM
    },
    Scope {
        name: "learned intervals",
        is_warm: false,
        setting: ScrapeInterval::Learned,
        tick: Duration::from_secs(15),
        cut: 1,
        ..CALM
    },
    Scope {
        name: "a server that is away",
        absences: 1,
        ..CALM
    },
    Scope {
        name: "both servers are away",
        size: Size::Large,
        series: 1,
        absences: 2,
        ..CALM
    },
    Scope {
        name: "a long outage",
        crashes: Some(1),
        outages: 1,
        ..CALM
    },
    Scope {
        name: "everything",
        size: Size::Large,
        events: 3,
        crashes: Some(2),
        lost: 1,
        last_calls: 1,
        ..CALM
    },
    Scope {
        name: "many missed answers",
        size: Size::Large,
        events: 3,
        crashes: Some(1),
        lost: 1,
        cut: 1,
        ..CALM
    },
    Scope {
        name: "crash loop with three events",
        size: Size::Large,
        crashes: None,
        events: 3,
        ..CALM
    },
    Scope {
        name: "first servers, with missed answers",
        size: Size::Large,
        is_warm: false,
        events: 2,
        crashes: Some(1),
        lost: 1,
        ..CALM
    },
    Scope {
        name: "first servers, with a last call",
        size: Size::Large,
        is_warm: false,
        crashes: Some(1),
        lost: 1,
        last_calls: 1,
        ..CALM
    },
    Scope {
        name: "one server after the other, with a last call",
        size: Size::Large,
        tick: Duration::from_secs(30),
        interval: 2,
        second_after: 1,
        events: 2,
        crashes: Some(1),
        lost: 1,
        last_calls: 1,
        ..CALM
    },
    Scope {
        name: "learned intervals, with a crash",
        size: Size::Large,
        is_warm: false,
        setting: ScrapeInterval::Learned,
        tick: Duration::from_secs(15),
        events: 2,
        crashes: Some(1),
        cut: 1,
        ..CALM
    },
    Scope {
        name: "a server that is away, with a crash",
        size: Size::Large,
        crashes: Some(1),
        absences: 1,
        ..CALM
    },
    Scope {
        name: "a long outage, with two events",
        size: Size::Large,
        crashes: Some(1),
        outages: 1,
        events: 2,
        ..CALM
    },
];

impl Scope {
    /// Returns `true` if the process has `fault`.
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Returns the scope of a process with `fault`.
    pub(crate) fn with(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }

    /// Returns `true` if nothing depends on which server is the first.
    pub(crate) fn is_symmetric(&self) -> bool {
        self.second_after == 0 && !self.has(Fault::SecondServerUnknown)
    }
}
