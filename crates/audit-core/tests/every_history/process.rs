//! One process of the exporter: the gate and the ledger that ship, put together as the
//! exporter does it.

use std::{sync::Arc, time::Duration};

use audit_core::{
    event::Labels,
    gate::{Gate, SavedGate, Scrape, ScraperId},
    ledger::{Age, Changes, Ledger},
};

use crate::{
    debug_text::WithFields,
    fault::Fault,
    scope::Scope,
    state::{COUNTERS, Disk, NAMES, ServerName, TYPE, Values, changed},
};

/// The series cap, which no history reaches.
const MAX_SERIES: usize = 10;

/// A running process.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) gate: WithFields<Gate>,
    pub(crate) ledger: WithFields<Ledger>,
    pub(crate) started: Duration,
    /// The generation that is shown.
    pub(crate) generation: u64,
    /// The generation that last changed a value.
    pub(crate) last_changed: u64,
    /// The values that are shown.
    pub(crate) shown: Values,
    pub(crate) under_way: Option<Arc<CommitUnderWay>>,
    /// `true` if the process was told to end, and publishes nothing more.
    pub(crate) is_last_call: bool,
    /// `true` if a commit of this process was durable, where that limits crashes.
    pub(crate) has_committed: bool,
    /// The time of the last scrape that the gate recorded.
    pub(crate) last_recorded: Option<Duration>,
    pub(crate) standstill: Option<Standstill>,
    pub(crate) fault: Option<Fault>,
}

/// A commit under way.
#[derive(Clone)]
pub(crate) struct CommitUnderWay {
    pub(crate) changes: Changes,
    pub(crate) gate: SavedGate,
    /// `true` if the commit is durable, and the ledger and the gate know it. What it lets be
    /// shown is not shown yet.
    pub(crate) is_durable: bool,
}

/// The time in which nothing may change, after a start or a time without scrapes.
#[derive(Clone)]
pub(crate) struct Standstill {
    /// The time of the first scrape; `None` until it comes.
    pub(crate) since: Option<Duration>,
    /// What was decided to be shown before that scrape.
    pub(crate) decided: Values,
    pub(crate) gate_timeouts: u64,
}

impl Process {
    /// Starts a process from what is durable.
    pub(crate) fn start(scope: &Scope, disk: &Disk, now: Duration) -> Self {
        let mut saved = SavedGate {
            away: now.saturating_sub(disk.stored_at),
            ..disk.gate.clone()
        };
        if scope.has(Fault::ScrapersForgotten) {
            saved.scrapers.clear();
        }
        if scope.has(Fault::WaitsForgotten) {
            (saved.wait_time, saved.away) = (Duration::ZERO, Duration::ZERO);
        }
        let mut ledger = restored(scope, disk);
        ledger.shown(1);
        let standstill = disk.gate.was_scraped.then(|| Standstill {
            since: None,
            decided: disk.published(),
            gate_timeouts: disk.gate_timeouts,
        });
        Self {
            gate: WithFields::new(Gate::new(scope.setting, &saved)),
            ledger: WithFields::new(ledger),
            started: now,
            generation: 1,
            last_changed: 1,
            shown: disk.published(),
            under_way: None,
            is_last_call: false,
            has_committed: false,
            last_recorded: None,
            standstill,
            fault: scope.fault,
        }
    }

    /// Returns the time since the process started.
    pub(crate) fn uptime(&self, now: Duration) -> Duration {
        now.saturating_sub(self.started)
    }

    /// Returns the hold of the gate.
    pub(crate) fn hold(&self, now: Duration) -> Duration {
        self.gate.hold(self.uptime(now))
    }

    /// Returns `true` if a commit is due: by the rule of the poller between two polls, or
    /// because the next poll stores what is new of the scrapers.
    pub(crate) fn has_to_commit(&self, disk: &Disk, now: Duration) -> bool {
        let uptime = self.uptime(now);
        self.gate.has_unstored_scraper(uptime)
            || !disk.knows(&self.gate.saved(uptime))
            || !self.ledger.changes(&self.gate, uptime).is_empty()
            || (self.ledger.pending() > 0 && self.gate.has_unstored_wait(uptime))
    }

    /// Returns `true` if the commit that is due stores only how long counts have waited.
    pub(crate) fn has_to_store_waits_alone(&self, disk: &Disk, now: Duration) -> bool {
        let uptime = self.uptime(now);
        self.under_way.is_none()
            && !self.is_last_call
            && self.ledger.pending() > 0
            && self.gate.has_unstored_wait(uptime)
            && !self.gate.has_unstored_scraper(uptime)
            && disk.knows(&self.gate.saved(uptime))
            && self.ledger.changes(&self.gate, uptime).is_empty()
    }

    /// Counts events of each series.
    pub(crate) fn count(&mut self, events: [u8; 2]) {
        for (series, number) in events.into_iter().enumerate() {
            for _ in 0..number {
                self.ledger.change().count(&labels(series), Age::News, None);
            }
        }
    }

    /// Begins a commit.
    pub(crate) fn prepare(&mut self, now: Duration) {
        let uptime = self.uptime(now);
        self.under_way = Some(Arc::new(CommitUnderWay {
            changes: self.ledger.changes(&self.gate, uptime),
            gate: self.gate.saved(uptime),
            is_durable: false,
        }));
    }

    /// Records that the commit under way is durable.
    pub(crate) fn confirm(&mut self) {
        let Some(under_way) = &mut self.under_way else {
            return;
        };
        let under_way = Arc::make_mut(under_way);
        under_way.is_durable = true;
        self.ledger.change().confirm(&under_way.changes);
        self.gate.change().confirm(&under_way.gate);
    }

    /// Shows what the commit under way lets be shown, and ends the commit.
    pub(crate) fn show(&mut self) {
        let before = self.shown;
        self.show_values();
        self.under_way = None;
        self.generation += 1;
        if self.shown != before {
            self.last_changed = self.generation;
        }
        self.ledger.change().shown(self.generation);
    }

    /// Shows the values of the commit under way.
    pub(crate) fn show_values(&mut self) {
        let Some(under_way) = &self.under_way else {
            return;
        };
        for (place, saved) in changed(&under_way.changes) {
            self.shown[place] = Some(saved.published);
        }
    }

    /// Returns `true` if an answer to the server may show events.
    pub(crate) fn may_show(&self, server: ServerName) -> bool {
        match self.fault {
            Some(Fault::UnstoredShown) => true,
            Some(Fault::SecondServerUnknown) if server == ServerName::B => true,
            _ => self.gate.may_show(id(server)),
        }
    }

    /// Returns `true` if the gate knows the interval of the server.
    pub(crate) fn knows_interval(&self, server: ServerName, now: Duration) -> bool {
        let saved = self.gate.saved(self.uptime(now));
        let mut scrapers = saved.scrapers.iter();
        scrapers.any(|known| known.id == id(server) && known.interval.is_some())
    }

    /// Tells the gate that the server is about to be answered.
    pub(crate) fn announce(&mut self, server: ServerName, now: Duration) {
        let uptime = self.uptime(now);
        self.gate.change().announce(id(server), uptime);
    }

    /// Tells the gate that an answer was sent. Returns `true` if no scrape was recorded for
    /// longer than the hold, or none at all.
    pub(crate) fn record(&mut self, scrape: Scrape, generation: u64, now: Duration) -> bool {
        let hold = self.hold(now);
        let uptime = self.uptime(now);
        self.gate.change().record_scrape(scrape, generation, uptime);
        let last = self.last_recorded.replace(now);
        last.is_none_or(|last| now.saturating_sub(last) > hold)
    }

    /// Returns the part of the next `span` from `now` on that does not count as a time of
    /// waiting, since no server scrapes: what comes later than H after the last scrape.
    pub(crate) fn silence_of(&self, now: Duration, span: Duration) -> Duration {
        let counted_until = self.last_recorded.unwrap_or(self.started) + self.hold(now);
        (now + span).saturating_sub(counted_until).min(span)
    }

    /// Returns `true` if the last call has ended: no commit is under way, and every server
    /// that the gate knows was sent the last change.
    pub(crate) fn has_ended_last_call(&self, now: Duration) -> bool {
        let uptime = self.uptime(now);
        let is_skipped = self.fault == Some(Fault::LastCallSkipped);
        let is_served = || self.gate.not_served(self.last_changed, uptime).is_empty();
        self.is_last_call && self.under_way.is_none() && (is_skipped || is_served())
    }
}

/// Returns the ledger as a process that starts finds it.
fn restored(scope: &Scope, disk: &Disk) -> Ledger {
    let mut ledger = Ledger::new(MAX_SERIES);
    for place in 0..COUNTERS {
        let Some(mut saved) = disk.counters[place] else {
            continue;
        };
        if scope.has(Fault::WaitsForgotten) {
            saved.waits_since = None;
        }
        if place == TYPE {
            ledger.restore_type(NAMES[TYPE], saved, None);
        } else {
            ledger.restore_series(&labels(place), saved, None);
        }
    }
    ledger.restore_gate_timeouts(disk.gate_timeouts);
    ledger
}

fn labels(series: usize) -> Labels<'static> {
    Labels {
        event_type: NAMES[TYPE].into(),
        source: NAMES[series].into(),
        source_country: "".into(),
    }
}

fn id(server: ServerName) -> ScraperId {
    ScraperId(server.place() as u64)
}

/// Returns the scrape of a server that calls the exporter by the name of this number.
pub(crate) fn scrape(server: ServerName, name: u8) -> Scrape {
    Scrape {
        scraper: id(server),
        product: 1,
        target: u64::from(name) + 1,
        connection: server.place() as u64,
        timeout: Duration::from_secs(10),
    }
}
