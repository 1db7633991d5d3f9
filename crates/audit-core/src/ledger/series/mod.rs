//! The counters of one family: what was counted and what is shown of it.

use std::{hash::Hash, num::NonZeroU64};

use indexmap::{Equivalent, IndexMap};
use rustc_hash::FxBuildHasher;

use super::Exemplar;
use crate::gate::Gate;

/// What is stored of one counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SavedCounter {
    /// What was counted.
    pub total: u64,
    /// What is shown; never above `total`.
    pub published: u64,
    /// Every server had the time to see its first value, so it is new no more.
    pub seen: bool,
}

/// A counter as it stands, or as a commit makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<K> {
    place: usize,
    /// Which one.
    pub key: K,
    /// What it is, or becomes.
    pub saved: SavedCounter,
    /// The newest event that it counts.
    pub latest: Option<Exemplar>,
}

impl<K> Change<K> {
    /// The newest event that is shown: none while one waits to be shown, since it
    /// may be the newest.
    pub fn shown_exemplar(&self) -> Option<&Exemplar> {
        let SavedCounter {
            total, published, ..
        } = self.saved;
        self.latest.as_ref().filter(|_| published == total)
    }
}

#[derive(Debug, Clone, Default)]
struct Counter {
    saved: SavedCounter,
    latest: Option<Exemplar>,
    /// The first generation of the exposition that showed it.
    shown_in: Option<NonZeroU64>,
    /// It is in the list of counters that the next commit must look at.
    unsettled: bool,
    /// It differs from what is stored.
    dirty: bool,
}

/// The counters of one family, by their labels.
#[derive(Debug, Clone)]
pub(super) struct Series<K> {
    counters: IndexMap<K, Counter, FxBuildHasher>,
    /// Places of the counters that are dirty, pending or new.
    unsettled: Vec<usize>,
}

impl<K: Hash + Eq + Clone> Series<K> {
    pub(super) fn new() -> Self {
        Self {
            counters: IndexMap::default(),
            unsettled: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.counters.len()
    }

    pub(super) fn place<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<usize> {
        self.counters.get_index_of(key)
    }

    /// The place of a counter that is there from now on.
    pub(super) fn open(&mut self, key: K) -> usize {
        if let Some(place) = self.counters.get_index_of(&key) {
            return place;
        }
        let (place, _) = self.counters.insert_full(
            key,
            Counter {
                dirty: true,
                ..Counter::default()
            },
        );
        self.unsettle(place);
        place
    }

    pub(super) fn restore(&mut self, key: K, saved: SavedCounter, latest: Option<Exemplar>) {
        let (place, _) = self.counters.insert_full(
            key,
            Counter {
                saved,
                latest,
                ..Counter::default()
            },
        );
        if saved.published < saved.total || !saved.seen {
            self.unsettle(place);
        }
    }

    /// Counts one. History is taken as shown at once.
    pub(super) fn count(&mut self, place: usize, history: bool, event: Option<Exemplar>) {
        if let Some((_, counter)) = self.counters.get_index_mut(place) {
            counter.saved.total += 1;
            counter.saved.published += u64::from(history);
            counter.dirty = true;
            counter.see(event);
        }
        self.unsettle(place);
    }

    /// What the next commit changes.
    pub(super) fn changes(&self, gate: &Gate, now: std::time::Duration) -> Vec<Change<K>> {
        let running = gate.is_running(now);
        let change = |place: usize| {
            let (key, counter) = self.counters.get_index(place)?;
            let saved = counter.next(gate, running, now);
            let changed = counter.dirty || saved != counter.saved;
            changed.then(|| Change {
                place,
                key: key.clone(),
                saved,
                latest: counter.latest.clone(),
            })
        };
        self.unsettled.iter().copied().filter_map(change).collect()
    }

    /// Every counter as it stands.
    pub(super) fn all(&self) -> Vec<Change<K>> {
        let all = self.counters.iter().enumerate();
        all.map(|(place, (key, counter))| Change {
            place,
            key: key.clone(),
            saved: counter.saved,
            latest: counter.latest.clone(),
        })
        .collect()
    }

    /// Makes room for so many more, and not for twice as many.
    pub(super) fn reserve(&mut self, more: usize) {
        self.counters.reserve_exact(more);
    }

    /// Takes over what was committed.
    pub(super) fn confirm(&mut self, changes: &[Change<K>]) {
        for change in changes {
            if let Some((_, counter)) = self.counters.get_index_mut(change.place) {
                counter.saved = change.saved;
                counter.dirty = false;
            }
        }
        let counters = &mut self.counters;
        self.unsettled.retain(|place| {
            let Some((_, counter)) = counters.get_index_mut(*place) else {
                return false;
            };
            counter.unsettled = counter.dirty || counter.is_pending() || !counter.saved.seen;
            counter.unsettled
        });
    }

    /// Everything is on show in this generation.
    pub(super) fn shown(&mut self, generation: u64) {
        let Some(generation) = NonZeroU64::new(generation) else {
            return;
        };
        for place in &self.unsettled {
            if let Some((_, counter)) = self.counters.get_index_mut(*place) {
                counter.shown_in.get_or_insert(generation);
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, SavedCounter)> {
        self.counters
            .iter()
            .map(|(key, counter)| (key, counter.saved))
    }

    /// How many events are counted and not shown.
    pub(super) fn pending(&self) -> u64 {
        let pending = |place: &usize| {
            let (_, counter) = self.counters.get_index(*place)?;
            Some(counter.saved.total - counter.saved.published)
        };
        self.unsettled.iter().filter_map(pending).sum()
    }

    pub(super) fn is_settled(&self) -> bool {
        self.unsettled.is_empty()
    }

    fn unsettle(&mut self, place: usize) {
        if let Some((_, counter)) = self.counters.get_index_mut(place)
            && !std::mem::replace(&mut counter.unsettled, true)
        {
            self.unsettled.push(place);
        }
    }
}

impl Counter {
    fn is_pending(&self) -> bool {
        self.saved.published < self.saved.total
    }

    /// Servers refuse exemplars that go back in time, so the newest stays.
    fn see(&mut self, event: Option<Exemplar>) {
        let Some(event) = event else { return };
        let newest = self.latest.as_ref().map(Exemplar::created_at);
        if newest.is_none_or(|newest| event.created_at() >= newest) {
            self.latest = Some(event);
        }
    }

    /// What the gate lets it become.
    fn next(&self, gate: &Gate, running: bool, now: std::time::Duration) -> SavedCounter {
        let shown_long_enough = |generation: NonZeroU64| gate.is_seen_by_all(generation.get(), now);
        let seen = self.saved.seen || self.shown_in.is_some_and(shown_long_enough);
        let may_step = gate.is_open_to_all() || (running && seen);
        SavedCounter {
            published: if may_step {
                self.saved.total
            } else {
                self.saved.published
            },
            seen,
            ..self.saved
        }
    }
}

#[cfg(test)]
mod tests;
