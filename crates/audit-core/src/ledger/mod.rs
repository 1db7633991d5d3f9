//! What was counted, by series, and what of it is shown. Pure: no clock, no file,
//! no metrics library.
//!
//! A counter has a total and a published value, published ≤ total, and both only
//! rise. [`Ledger::changes`] says what the gate lets the published values become;
//! [`Ledger::confirm`] takes that over once it is stored.

mod cap;
mod exemplar;
mod key;
mod series;

pub use cap::SeriesCap;
pub use exemplar::{EXEMPLAR_MAX_CHARS, Exemplar};
pub use key::SeriesKey;
pub use series::{Change, Saved};

use std::{collections::HashSet, sync::Arc, time::Duration};

use rustc_hash::FxBuildHasher;

use crate::{
    event::{Labels, OTHER},
    gate::Gate,
};
use series::Series;

/// The counters of one account.
#[derive(Debug, Clone)]
pub struct Ledger {
    cap: SeriesCap,
    series: Series<SeriesKey>,
    types: Series<Arc<str>>,
    /// Every label value in use, once: there are few, in many series.
    values: HashSet<Arc<str>, FxBuildHasher>,
}

/// Where an event was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// In the series of its labels.
    Own,
    /// Under `other`, since the series cap was reached.
    Overflow,
}

/// Whether an event is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It happened while the exporter counted: whoever scrapes must see the step.
    News,
    /// It happened before the exporter was first started: it is part of the first
    /// value that anyone sees.
    History,
}

/// The counters that a commit changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Of `nexmo_audit_events_total`.
    pub series: Vec<Change<SeriesKey>>,
    /// Of `nexmo_audit_events_by_type_total`.
    pub types: Vec<Change<Arc<str>>>,
}

impl Changes {
    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty() && self.types.is_empty()
    }
}

impl Ledger {
    /// A ledger without a series. Beyond `max_series` label combinations, and
    /// beyond as many event types, events are counted under `other`.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        Self {
            cap: SeriesCap::new(max_series),
            series: Series::new(),
            types: Series::new(),
            values: HashSet::default(),
        }
    }

    /// Makes room for so many stored counters.
    pub fn reserve(&mut self, series: usize, types: usize) {
        self.series.reserve(series);
        self.types.reserve(types);
    }

    /// Takes up a counter of `nexmo_audit_events_total` as it was stored.
    pub fn restore_series(&mut self, labels: &Labels<'_>, saved: Saved, latest: Option<Exemplar>) {
        let key = self.own(labels);
        self.series.restore(key, saved, latest);
    }

    /// Takes up a counter of `nexmo_audit_events_by_type_total` as it was stored.
    pub fn restore_type(&mut self, name: &str, saved: Saved, latest: Option<Exemplar>) {
        let name = self.shared(name);
        self.types.restore(name, saved, latest);
    }

    /// Gives every type that the vendor names a series that starts at 0.
    pub fn name_types<'t>(&mut self, names: impl IntoIterator<Item = &'t str>) {
        for name in names {
            if self.cap.has_room(self.types.len()) {
                let name = self.shared(name);
                self.types.open(name);
            }
        }
    }

    /// Counts one event, which an exemplar may then lead to.
    pub fn count(&mut self, labels: &Labels<'_>, age: Age, event: Option<Exemplar>) -> Counted {
        let history = age == Age::History;
        let place = self.type_place(&labels.event_type);
        self.types.count(place, history, event.clone());
        let (place, counted) = self.series_place(labels);
        self.series.count(place, history, event);
        counted
    }

    /// Every counter as it stands.
    #[must_use]
    pub fn all(&self) -> Changes {
        Changes {
            series: self.series.all(),
            types: self.types.all(),
        }
    }

    /// What the next commit changes, as far as the gate lets it.
    #[must_use]
    pub fn changes(&self, gate: &Gate, now: Duration) -> Changes {
        Changes {
            series: self.series.changes(gate, now),
            types: self.types.changes(gate, now),
        }
    }

    /// Takes over what was committed. Nothing may have been counted since
    /// [`Ledger::changes`].
    pub fn confirm(&mut self, changes: &Changes) {
        self.series.confirm(&changes.series);
        self.types.confirm(&changes.types);
    }

    /// Everything is on show in this generation of the exposition.
    pub fn shown(&mut self, generation: u64) {
        self.series.shown(generation);
        self.types.shown(generation);
    }

    /// Every series.
    pub fn series(&self) -> impl Iterator<Item = (Labels<'_>, Saved)> {
        self.series.iter().map(|(key, saved)| (key.labels(), saved))
    }

    /// Every event type.
    pub fn types(&self) -> impl Iterator<Item = (&str, Saved)> {
        self.types.iter().map(|(name, saved)| (&**name, saved))
    }

    /// How many events are counted and not shown in their series.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.series.pending()
    }

    /// Whether no counter waits for a commit or for the gate.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.series.is_settled() && self.types.is_settled()
    }

    fn type_place(&mut self, name: &str) -> usize {
        match self.types.place(name) {
            Some(place) => place,
            None if self.cap.has_room(self.types.len()) => {
                let name = self.shared(name);
                self.types.open(name)
            }
            None => self.types.open(OTHER.into()),
        }
    }

    fn series_place(&mut self, labels: &Labels<'_>) -> (usize, Counted) {
        match self.series.place(labels) {
            Some(place) => (place, Counted::Own),
            None if self.cap.has_room(self.series.len()) => {
                let key = self.own(labels);
                (self.series.open(key), Counted::Own)
            }
            None => {
                let key = self.own(&Labels::other());
                (self.series.open(key), Counted::Overflow)
            }
        }
    }

    fn own(&mut self, labels: &Labels<'_>) -> SeriesKey {
        SeriesKey {
            event_type: self.shared(&labels.event_type),
            source: self.shared(&labels.source),
            source_country: self.shared(&labels.source_country),
        }
    }

    fn shared(&mut self, value: &str) -> Arc<str> {
        if let Some(known) = self.values.get(value) {
            return Arc::clone(known);
        }
        let new: Arc<str> = value.into();
        self.values.insert(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests;
