//! The counters of an account: what is counted, and how much of it is shown.
//!
//! A counter has a total and a published value. The published value is never above the
//! total, and both only rise. [`Ledger::changes`] returns the values that the gate permits,
//! and [`Ledger::confirm`] makes them the current values once they are stored.

mod cap;
mod exemplar;
mod key;
mod label_values;
mod series;
mod showing;

pub use cap::SeriesCap;
pub use exemplar::Exemplar;
pub use key::SeriesKey;
pub use series::{Change, FirstValue, SavedCounter};

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    event::{Labels, OTHER},
    gate::Gate,
};
use label_values::shared;
use series::Series;

/// The counters of one account.
#[derive(Debug, Clone)]
pub struct Ledger {
    cap: SeriesCap,
    series: Series<SeriesKey>,
    types: Series<Arc<str>>,
    /// See [`Changes::gate_timeouts`].
    gate_timeouts: u64,
}

/// The series in which an event was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The series of its labels.
    Own,
    /// The series `other`, because the series cap was reached.
    Overflow,
}

/// The age of an event: created before or after the first start of the exporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// The event was created after the first start. Every scraper must see the counter
    /// rise by it.
    News,
    /// The event was created before the first start. It is part of the first value that
    /// is shown.
    History,
}

/// The counters that a commit changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Counters of `nexmo_audit_events_total`.
    pub series: Vec<Change<SeriesKey>>,
    /// Counters of `nexmo_audit_events_by_type_total`.
    pub types: Vec<Change<Arc<str>>>,
    /// The number of events of the account that were ever shown although a scraper may not
    /// have seen the value before them, since they had waited for as long as an event may
    /// wait.
    pub gate_timeouts: u64,
}

/// The counters whose exemplars are shown no longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndedExemplars {
    /// Counters of `nexmo_audit_events_total`.
    pub series: Vec<SeriesKey>,
    /// Counters of `nexmo_audit_events_by_type_total`.
    pub types: Vec<Arc<str>>,
}

impl Changes {
    /// Returns `true` if no counter changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty() && self.types.is_empty()
    }
}

impl Ledger {
    /// Returns a ledger without counters. At most `max_series` combinations of labels, and
    /// as many event types, get a series of their own. All further events are counted in
    /// the series `other`.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        Self {
            cap: SeriesCap::new(max_series),
            series: Series::new(),
            types: Series::new(),
            gate_timeouts: 0,
        }
    }

    /// Reserves memory for the given numbers of counters, which are about to be restored.
    pub fn reserve(&mut self, series: usize, types: usize) {
        self.series.reserve(series);
        self.types.reserve(types);
    }

    /// Restores a counter of `nexmo_audit_events_total`.
    pub fn restore_series(
        &mut self,
        labels: &Labels<'_>,
        saved: SavedCounter,
        latest: Option<Exemplar>,
    ) {
        let key = own(labels);
        self.series.restore(key, saved, latest);
    }

    /// Restores a counter of `nexmo_audit_events_by_type_total`.
    pub fn restore_type(&mut self, name: &str, saved: SavedCounter, latest: Option<Exemplar>) {
        let name = shared(name);
        self.types.restore(name, saved, latest);
    }

    /// Restores the number of [`Changes::gate_timeouts`].
    pub fn restore_gate_timeouts(&mut self, gate_timeouts: u64) {
        self.gate_timeouts = gate_timeouts;
    }

    /// Returns [`Changes::gate_timeouts`] as of the last commit.
    #[must_use]
    pub fn gate_timeouts(&self) -> u64 {
        self.gate_timeouts
    }

    /// Opens a series that starts at 0 for each event type, up to the series cap.
    pub fn name_types<'t>(&mut self, names: impl IntoIterator<Item = &'t str>) {
        let names: Vec<&str> = names.into_iter().collect();
        // Room for more than that is much of the memory of ten thousand accounts.
        let places = (self.types.len()..).take_while(|place| self.cap.has_room(*place));
        let is_new = |name: &&&str| self.types.place(**name).is_none();
        let new = places.zip(names.iter().filter(is_new)).count();
        self.types.reserve(new);
        for name in names {
            if self.cap.has_room(self.types.len()) {
                self.types.open(shared(name));
            }
        }
    }

    /// Counts one event. `event` is the exemplar that leads to it.
    pub fn count(&mut self, labels: &Labels<'_>, age: Age, event: Option<Exemplar>) -> Counted {
        let history = age == Age::History;
        let place = self.type_place(&labels.event_type);
        self.types.count(place, history, event.clone());
        let (place, counted) = self.series_place(labels);
        self.series.count(place, history, event);
        counted
    }

    /// Returns every counter with its current values.
    #[must_use]
    pub fn all(&self) -> Changes {
        Changes {
            series: self.series.all(),
            types: self.types.all(),
            gate_timeouts: self.gate_timeouts,
        }
    }

    /// Returns the counters that the next commit changes, with the values that the gate
    /// permits at `now`, the span since the process started.
    #[must_use]
    pub fn changes(&self, gate: &Gate, now: Duration) -> Changes {
        let series = self.series.changes(gate, now);
        let types = self.types.changes(gate, now);
        let timed_out = timed_out(&series).max(timed_out(&types));
        Changes {
            series,
            types,
            gate_timeouts: self.gate_timeouts + timed_out,
        }
    }

    /// Makes the values that were stored the current values. Nothing may have been counted
    /// since [`Ledger::changes`] returned them.
    pub fn confirm(&mut self, changes: &Changes) {
        self.series.confirm(&changes.series);
        self.types.confirm(&changes.types);
        self.gate_timeouts = changes.gate_timeouts;
    }

    /// Has the next commit store all counters of `changes`, whose commit failed: it may be
    /// stored all the same.
    pub fn reject(&mut self, changes: &Changes) {
        self.series.reject(&changes.series);
        self.types.reject(&changes.types);
    }

    /// Records that this generation of the exposition shows every counter.
    pub fn shown(&mut self, generation: u64) {
        self.series.shown(generation);
        self.types.shown(generation);
    }

    /// Has the exemplars that were restored shown for as long as if they had been shown since
    /// their events were created. To be called before the counters are shown first; `local`
    /// is the time of the wall clock at `now`.
    pub fn restore_exemplars(&mut self, gate: &Gate, local: Timestamp, now: Duration) {
        self.series.restore_exemplars(gate, local, now);
        self.types.restore_exemplars(gate, local, now);
    }

    /// Returns the time since the process started at which
    /// [`end_exemplars`](Self::end_exemplars) has something to do; `None` if no exemplar is
    /// shown.
    #[must_use]
    pub fn exemplar_end(&self) -> Option<Duration> {
        let ends = [self.series.exemplar_end(), self.types.exemplar_end()];
        ends.into_iter().flatten().min()
    }

    /// Ends the exemplars that were shown for long enough at `now`, and returns their
    /// counters. An exemplar is shown for ten minutes or five scrape intervals, whichever is
    /// longer, and at most a minute more.
    pub fn end_exemplars(&mut self, now: Duration) -> EndedExemplars {
        EndedExemplars {
            series: self.series.end_exemplars(now),
            types: self.types.end_exemplars(now),
        }
    }

    /// Returns the counters of `nexmo_audit_events_total`.
    pub fn series(&self) -> impl Iterator<Item = (Labels<'_>, SavedCounter)> {
        self.series.iter().map(|(key, saved)| (key.labels(), saved))
    }

    /// Returns the counters of `nexmo_audit_events_by_type_total`.
    pub fn types(&self) -> impl Iterator<Item = (&str, SavedCounter)> {
        self.types.iter().map(|(name, saved)| (&**name, saved))
    }

    /// Returns the number of events that are counted and not yet shown.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.series.pending()
    }

    /// Returns `true` if no counter waits for a commit or for the gate.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.series.is_settled() && self.types.is_settled()
    }

    fn type_place(&mut self, name: &str) -> usize {
        match self.types.place(name) {
            Some(place) => place,
            None if self.cap.has_room(self.types.len()) => {
                let name = shared(name);
                self.types.open(name)
            }
            None => self.types.open(shared(OTHER)),
        }
    }

    fn series_place(&mut self, labels: &Labels<'_>) -> (usize, Counted) {
        match self.series.place(labels) {
            Some(place) => (place, Counted::Own),
            None if self.cap.has_room(self.series.len()) => {
                let key = own(labels);
                (self.series.open(key), Counted::Own)
            }
            None => {
                let key = own(&Labels::other());
                (self.series.open(key), Counted::Overflow)
            }
        }
    }
}

fn own(labels: &Labels<'_>) -> SeriesKey {
    SeriesKey {
        event_type: shared(&labels.event_type),
        source: shared(&labels.source),
        source_country: shared(&labels.source_country),
    }
}

fn timed_out<K>(changes: &[Change<K>]) -> u64 {
    changes.iter().map(|change| change.timed_out).sum()
}

#[cfg(test)]
mod tests;
