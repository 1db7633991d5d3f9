//! What was counted, by series. Pure: no clock, no file, no metrics library.

use indexmap::IndexMap;

use crate::event::{Labels, OTHER};

/// The totals of one account.
#[derive(Debug, Clone)]
pub struct Ledger {
    max_series: usize,
    series: IndexMap<Labels<'static>, u64>,
    types: IndexMap<String, u64>,
}

/// Where an event was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// In the series of its labels.
    Own,
    /// Under `other`, since the series cap was reached.
    Overflow,
}

impl Ledger {
    /// A ledger without a series. Beyond `max_series` label combinations, and
    /// beyond as many event types, events are counted under `other`.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        Self {
            max_series,
            series: IndexMap::new(),
            types: IndexMap::new(),
        }
    }

    /// Gives every type that the vendor names a series that starts at 0.
    pub fn name_types<'t>(&mut self, names: impl IntoIterator<Item = &'t str>) {
        for name in names {
            if self.types.len() < self.max_series && !self.types.contains_key(name) {
                self.types.insert(name.to_owned(), 0);
            }
        }
    }

    /// Counts one event.
    pub fn count(&mut self, labels: &Labels<'_>) -> Counted {
        self.count_type(&labels.event_type);
        let (place, counted) = match self.series.get_index_of(labels) {
            Some(place) => (place, Counted::Own),
            None if self.series.len() < self.max_series => {
                (self.open(to_owned(labels)), Counted::Own)
            }
            None => (self.open(other()), Counted::Overflow),
        };
        self.series[place] += 1;
        counted
    }

    /// Every series with its total.
    pub fn series(&self) -> impl Iterator<Item = (&Labels<'static>, u64)> {
        self.series.iter().map(|(labels, total)| (labels, *total))
    }

    /// Every event type with its total.
    pub fn types(&self) -> impl Iterator<Item = (&str, u64)> {
        self.types
            .iter()
            .map(|(name, total)| (name.as_str(), *total))
    }

    fn open(&mut self, labels: Labels<'static>) -> usize {
        let entry = self.series.entry(labels);
        let place = entry.index();
        entry.or_insert(0);
        place
    }

    fn count_type(&mut self, name: &str) {
        if let Some(total) = self.types.get_mut(name) {
            *total += 1;
            return;
        }
        let name = if self.types.len() < self.max_series {
            name
        } else {
            OTHER
        };
        *self.types.entry(name.to_owned()).or_insert(0) += 1;
    }
}

fn to_owned(labels: &Labels<'_>) -> Labels<'static> {
    let own = |value: &str| value.to_owned().into();
    Labels {
        event_type: own(&labels.event_type),
        source: own(&labels.source),
        source_country: own(&labels.source_country),
    }
}

fn other() -> Labels<'static> {
    Labels {
        event_type: OTHER.into(),
        source: OTHER.into(),
        source_country: OTHER.into(),
    }
}

#[cfg(test)]
mod tests;
