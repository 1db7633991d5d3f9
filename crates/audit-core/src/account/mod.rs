//! One account's count: what a page adds to the window and to the ledger.
//!
//! Pure, so that the whole of the counting can be run by the million. It must
//! not know where pages come from nor where totals are shown.

mod start;

pub use start::PollStart;

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    event::{AuditEvent, Entry, Page, TypeFilter},
    gate::Gate,
    ledger::{Age, Changes, Counted, Exemplar, Ledger},
    outbox::{Lines, Outbox},
    window::{Admission, Remembered, SavedWindow, Window, WindowSettings},
};

/// What is counted for one account, and what of it was already seen.
#[derive(Debug, Clone)]
pub struct Account {
    /// Which events are new.
    pub window: Window,
    /// How many there were.
    pub ledger: Ledger,
    /// Where the account stands.
    pub stage: Stage,
    /// What the event log is to be told.
    pub outbox: Outbox,
    /// Which events are counted. The others are remembered all the same: counted
    /// from some day on, they are counted from that day on.
    pub filter: TypeFilter,
}

/// Where an account stands since its first start ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// What was created before this moment is never counted: every counter was 0
    /// then.
    pub start: Timestamp,
    /// When it began to be counted, by the API's clock: what was created before
    /// that is history.
    pub began: Timestamp,
    /// Whether the history has been counted. Until then nothing is shown, so that
    /// no server takes history for news.
    pub caught_up: bool,
}

/// What one transaction stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Where the account stands.
    pub stage: Stage,
    /// The window, but for its ids.
    pub window: SavedWindow,
    /// Ids to remember; those from before the floor are to be forgotten.
    pub ids: Vec<Remembered>,
    /// The counters that change.
    pub changes: Changes,
    /// Lines of the event log.
    pub lines: Lines,
}

/// What one page brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Seconds from creation to counting of each event counted; its length is
    /// their number. None is below 0, where clocks differ: a histogram's sum
    /// must not fall.
    pub lags: Vec<f64>,
    /// Where on the page each of them was.
    pub places: Vec<usize>,
    /// Counted before.
    pub duplicates: u64,
    /// Seen for the first time, without an id to know them by.
    pub malformed: u64,
    /// Of those counted: created longer ago than the lookback.
    pub late: u64,
    /// Of those counted: beyond the series cap.
    pub overflow: u64,
    /// Not counted, since they were created before the floor of the window.
    pub before_floor: u64,
}

impl Account {
    /// An account that was never counted: from `start` on, of which what came
    /// before `began` is history.
    #[must_use]
    pub fn new(
        settings: WindowSettings,
        start: Timestamp,
        began: Timestamp,
        max_series: usize,
    ) -> Self {
        Self {
            window: Window::new(settings, start),
            ledger: Ledger::new(max_series),
            stage: Stage {
                start,
                began,
                caught_up: false,
            },
            outbox: Outbox::default(),
            filter: TypeFilter::default(),
        }
    }

    /// What the next transaction stores, as far as the gate lets counts be shown
    /// at `uptime`.
    #[must_use]
    pub fn prepare(&self, gate: &Gate, uptime: Duration) -> Commit {
        Commit {
            stage: self.stage,
            window: self.window.saved(),
            ids: self.window.fresh().to_vec(),
            changes: self.ledger.changes(gate, uptime),
            lines: self.outbox.lines(),
        }
    }

    /// Takes over what was stored. Nothing may have been counted since
    /// [`Account::prepare`].
    pub fn confirm(&mut self, commit: &Commit) {
        self.window.confirm();
        self.ledger.confirm(&commit.changes);
        self.outbox.confirm();
    }

    /// Counts what is new on a page that was answered at `now`, by the API's clock.
    pub fn count(&mut self, page: &Page<'_>, now: Timestamp) -> Tally {
        let mut tally = Tally::default();
        for (place, entry) in page.entries.iter().enumerate() {
            match entry {
                Entry::Event(event) => {
                    let before = tally.lags.len();
                    self.count_event(event, now, &mut tally);
                    if tally.lags.len() > before {
                        tally.places.push(place);
                    }
                }
                Entry::Malformed(id) => match self.window.admit_malformed(*id, now) {
                    Admission::New { .. } => tally.malformed += 1,
                    Admission::Duplicate | Admission::BeforeFloor => {}
                },
            }
        }
        tally
    }

    fn age(&self, created_at: Timestamp) -> Age {
        if !self.stage.caught_up && created_at < self.stage.began {
            Age::History
        } else {
            Age::News
        }
    }

    fn count_event(&mut self, event: &AuditEvent<'_>, now: Timestamp, tally: &mut Tally) {
        match self.window.admit(event.id, event.created_at, now) {
            Admission::New { .. } if !self.filter.admits(&event.labels.event_type) => {}
            Admission::New { late, created_at } => {
                let lag = now.duration_since(created_at).as_secs_f64();
                tally.lags.push(lag.max(0.0));
                tally.late += u64::from(late);
                let age = self.age(created_at);
                let exemplar = Exemplar::new(event.id, event.id_text.as_deref(), created_at);
                if self.ledger.count(&event.labels, age, exemplar) == Counted::Overflow {
                    tally.overflow += 1;
                }
            }
            Admission::Duplicate => tally.duplicates += 1,
            Admission::BeforeFloor => tally.before_floor += 1,
        }
    }
}

#[cfg(test)]
mod tests;
