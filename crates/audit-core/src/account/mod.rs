//! One account: counts pages, and returns what a commit stores.
//!
//! [`Account::count`] adds the new events of a page to the window, the ledger and the
//! outbox. [`Account::prepare`] returns all of that as one [`Commit`], and
//! [`Account::confirm`] records that the commit is stored.

mod start;

pub use start::PollStart;

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    event::{AuditEvent, Element, Keep, Page, TypeFilter},
    gate::Gate,
    ledger::{Age, Changes, Counted, Exemplar, Ledger},
    outbox::{Lines, Outbox},
    window::{Admission, Remembered, SavedWindow, Window, WindowSettings},
};

/// The counts of one account, and everything that is needed to count each event once.
#[derive(Debug, Clone)]
pub struct Account {
    /// Says which events are new.
    pub window: Window,
    /// The counters.
    pub ledger: Ledger,
    /// The progress of the account since its first start.
    pub stage: Stage,
    /// Lines for the event log.
    pub outbox: Outbox,
    /// The event types that are counted. Events of other types are remembered like all
    /// others, so that a type that is added later is counted from then on.
    pub filter: TypeFilter,
}

/// The progress of an account since its first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The moment at which every counter was 0. Events created before it are never
    /// counted.
    pub start: Timestamp,
    /// The time of the first start, by the clock that was ahead. Events created before it
    /// are history.
    pub began: Timestamp,
    /// `true` once all of the history is counted. Until then nothing is shown, so that no
    /// scraper sees history as new events.
    pub caught_up: bool,
}

/// The part of an account that one transaction stores. All values are absolute, so that the
/// same commit may be stored twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The progress of the account.
    pub stage: Stage,
    /// The window without its ids.
    pub window: SavedWindow,
    /// Ids to add. Stored ids whose time is before the floor of `window` can be deleted.
    pub ids: Vec<Remembered>,
    /// The counters that change, with their new values.
    pub changes: Changes,
    /// Lines of the event log.
    pub lines: Lines,
}

/// The result of [`Account::count`] for one page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// The seconds from creation to counting, for each event that was counted. If clocks
    /// differ, the lag is 0 rather than negative, since the sum of a histogram must not
    /// fall.
    pub lags: Vec<f64>,
    /// The number of events that were counted before.
    pub duplicates: u64,
    /// The number of elements without an id that were seen for the first time.
    pub malformed: u64,
    /// The number of counted events that were created longer before the watermark of the
    /// sweep than the lookback.
    pub late: u64,
    /// The number of counted events beyond the series cap.
    pub overflow: u64,
    /// The number of events that were not counted because they were created before the
    /// floor of the window.
    pub before_floor: u64,
}

impl Account {
    /// Returns an account for which nothing was counted. It counts events created from
    /// `start` on; those created before `began` are history. `max_series` is the series
    /// cap, as in [`Ledger::new`].
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

    /// Returns what the next transaction stores. The counters in it are shown once it is
    /// stored; how far they rise is decided by the gate as it is at `uptime`, the span
    /// since the process started.
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

    /// Records that a commit is stored. Nothing may have been counted since
    /// [`Account::prepare`] returned it.
    pub fn confirm(&mut self, commit: &Commit) {
        self.window.confirm();
        self.ledger.confirm(&commit.changes);
        self.outbox.confirm();
    }

    /// Records that a commit failed. It may be stored all the same, so the next commit replaces
    /// all that it may have stored.
    pub fn reject(&mut self, commit: &Commit) {
        self.ledger.reject(&commit.changes);
        self.outbox.reject();
    }

    /// Returns how pages for [`Account::count`] must be parsed: with the JSON of their
    /// elements only if an event log is kept.
    #[must_use]
    pub fn keep(&self) -> Keep {
        if self.outbox.is_kept() {
            Keep::Raw
        } else {
            Keep::Parsed
        }
    }

    /// Counts the new events of a page, and hands each of them to the outbox. `now` is the
    /// time of the answer by the clock of the API, and `watermark` the
    /// [believed watermark](Window::believed_watermark) with which the sweep began. The page
    /// must have been parsed as [`Account::keep`] says.
    pub fn count(
        &mut self,
        page: &Page<'_>,
        now: Timestamp,
        watermark: Option<Timestamp>,
    ) -> Tally {
        let mut tally = Tally::default();
        for (place, element) in page.elements.iter().enumerate() {
            match element {
                Element::Event(event) => {
                    let counted = self.count_event(event, (now, watermark), &mut tally);
                    if let Some(created_at) = counted {
                        self.log((page, place), created_at);
                    }
                }
                Element::Malformed(id) => match self.window.admit_malformed(*id, now) {
                    Admission::New { .. } => tally.malformed += 1,
                    Admission::Duplicate | Admission::BeforeFloor => {}
                },
            }
        }
        tally
    }

    fn log(&mut self, (page, place): (&Page<'_>, usize), created_at: Timestamp) {
        if !self.outbox.is_kept() {
            return;
        }
        let json = page.raw.get(place);
        debug_assert!(json.is_some(), "the page was not parsed with Keep::Raw");
        if let Some(json) = json {
            self.outbox.push(json, created_at);
        }
    }

    fn age(&self, created_at: Timestamp) -> Age {
        if !self.stage.caught_up && created_at < self.stage.began {
            Age::History
        } else {
            Age::News
        }
    }

    /// Counts an event if it is new and of a type that is counted. Returns its time of
    /// creation if it was counted.
    fn count_event(
        &mut self,
        event: &AuditEvent<'_>,
        (now, watermark): (Timestamp, Option<Timestamp>),
        tally: &mut Tally,
    ) -> Option<Timestamp> {
        match self.window.admit(event.id, event.created_at, now) {
            Admission::New { created_at } => {
                if !self.filter.admits(&event.labels.event_type) {
                    return None;
                }
                let lag = now.duration_since(created_at).as_secs_f64();
                tally.lags.push(lag.max(0.0));
                let is_late = self.window.is_late(event.created_at, watermark);
                tally.late += u64::from(is_late);
                let age = self.age(created_at);
                let exemplar = Exemplar::new(event.id, event.id_text.as_deref(), created_at);
                if self.ledger.count(&event.labels, age, exemplar) == Counted::Overflow {
                    tally.overflow += 1;
                }
                return Some(created_at);
            }
            Admission::Duplicate => tally.duplicates += 1,
            Admission::BeforeFloor => tally.before_floor += 1,
        }
        None
    }
}

#[cfg(test)]
mod tests;
