//! The counters of one metric family.

use std::{hash::Hash, num::NonZeroU64, time::Duration};

use indexmap::{Equivalent, IndexMap};
use jiff::Timestamp;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use super::{Exemplar, showing::Showing};
use crate::gate::{Gate, Sight};

/// The stored values of one counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SavedCounter {
    /// The number of events counted.
    pub total: u64,
    /// The value that is shown; never above `total`.
    pub published: u64,
    /// How far the scrapers have seen the first value of the counter.
    pub first_value: FirstValue,
    /// The reading of [`Gate::wait_time`] since which a count waits to be shown; `None` if
    /// none waits.
    pub waits_since: Option<Duration>,
}

/// How far the scrapers have seen the first value of a counter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstValue {
    /// The gate waits for the scrapers to see it: the counter is new.
    #[default]
    Unseen,
    /// A bound has let an event through before every scraper had the time to see it. The
    /// counter is new no longer, but a scraper may miss its further events, too.
    Overruled,
    /// Every scraper has had the time to see it, or is not waited for.
    Seen,
}

impl FirstValue {
    /// Returns `true` if the counter is new.
    #[must_use]
    pub fn is_new(self) -> bool {
        self == Self::Unseen
    }
}

/// The values of one counter, as they are or as a commit makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<K> {
    place: usize,
    /// The key of the counter.
    pub key: K,
    /// The values.
    pub saved: SavedCounter,
    /// The newest event that the counter counts.
    pub latest: Option<Exemplar>,
    showing: Showing,
    /// The number of events that are shown now although a scraper may not have seen the
    /// value before them, since they had waited for as long as an event may wait.
    pub timed_out: u64,
}

impl<K> Change<K> {
    /// Returns the exemplar that is shown: the newest event, for
    /// [as long as an exemplar is shown](super::Ledger::end_exemplars). Returns `None` while
    /// any event waits to be shown, since that event may be the newest.
    pub fn shown_exemplar(&self) -> Option<&Exemplar> {
        let is_shown = self.saved.shows_all() && self.showing != Showing::Over;
        self.latest.as_ref().filter(|_| is_shown)
    }
}

impl SavedCounter {
    /// Returns `true` if no event waits to be shown.
    fn shows_all(self) -> bool {
        self.published == self.total
    }
}

#[derive(Debug, Clone, Default)]
struct Counter {
    saved: SavedCounter,
    /// Boxed, since most counters of most accounts have counted no event.
    latest: Option<Box<Exemplar>>,
    showing: Showing,
    /// The first generation of the exposition that showed the counter.
    shown_in: Option<NonZeroU64>,
    /// `true` if the place of the counter is in `Series::unsettled`.
    unsettled: bool,
    /// `true` if the values differ from the stored values.
    dirty: bool,
}

/// The counters of one metric family, by their labels.
#[derive(Debug, Clone)]
pub(super) struct Series<K> {
    counters: IndexMap<K, Counter, FxBuildHasher>,
    /// The places of the counters that are dirty, pending or new. The next commit looks at
    /// these alone.
    unsettled: Vec<usize>,
    /// The earliest time at which an exemplar is over; `None` if none is shown.
    exemplar_end: Option<Duration>,
}

impl<K: Hash + Eq + Clone> Series<K> {
    pub(super) fn new() -> Self {
        Self {
            counters: IndexMap::default(),
            unsettled: Vec::new(),
            exemplar_end: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.counters.len()
    }

    pub(super) fn place<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<usize> {
        self.counters.get_index_of(key)
    }

    /// Returns the place of a counter, which is added if it does not exist.
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
                latest: latest.map(Box::new),
                ..Counter::default()
            },
        );
        if saved.published < saved.total || saved.first_value != FirstValue::Seen {
            self.unsettle(place);
        }
    }

    /// Counts one event. History is published at once.
    pub(super) fn count(&mut self, place: usize, history: bool, event: Option<Exemplar>) {
        if let Some((_, counter)) = self.counters.get_index_mut(place) {
            counter.saved.total += 1;
            counter.saved.published += u64::from(history);
            counter.dirty = true;
            counter.see(event);
        }
        self.unsettle(place);
    }

    /// Returns the counters that the next commit changes.
    pub(super) fn changes(&self, gate: &Gate, now: Duration) -> Vec<Change<K>> {
        let running = gate.is_running(now);
        let change = |place: usize| {
            let (key, counter) = self.counters.get_index(place)?;
            let (saved, timed_out) = counter.next(gate, running, now);
            let changed = counter.dirty || saved != counter.saved;
            changed.then(|| Change {
                place,
                key: key.clone(),
                saved,
                latest: counter.latest.as_deref().cloned(),
                showing: match counter.showing {
                    Showing::NotYet if saved.shows_all() && counter.latest.is_some() => {
                        Showing::from(now, gate)
                    }
                    showing => showing,
                },
                timed_out,
            })
        };
        self.unsettled.iter().copied().filter_map(change).collect()
    }

    /// Returns every counter with its current values.
    pub(super) fn all(&self) -> Vec<Change<K>> {
        let all = self.counters.iter().enumerate();
        all.map(|(place, (key, counter))| Change {
            place,
            key: key.clone(),
            saved: counter.saved,
            latest: counter.latest.as_deref().cloned(),
            showing: counter.showing,
            timed_out: 0,
        })
        .collect()
    }

    /// Reserves memory for exactly so many more counters.
    pub(super) fn reserve(&mut self, more: usize) {
        self.counters.reserve_exact(more);
    }

    /// Makes the values that were stored the current values.
    pub(super) fn confirm(&mut self, changes: &[Change<K>]) {
        for change in changes {
            if let Some((_, counter)) = self.counters.get_index_mut(change.place) {
                counter.saved = change.saved;
                counter.dirty = false;
                counter.showing = change.showing;
                self.exemplar_end = earliest(self.exemplar_end, counter);
            }
        }
        let counters = &mut self.counters;
        self.unsettled.retain(|place| {
            let Some((_, counter)) = counters.get_index_mut(*place) else {
                return false;
            };
            let is_seen = counter.saved.first_value == FirstValue::Seen;
            counter.unsettled = counter.dirty || counter.is_pending() || !is_seen;
            counter.unsettled
        });
    }

    /// Has the counters of a commit that failed stored again: the commit may be stored all
    /// the same, with more published than the next commit permits.
    pub(super) fn reject(&mut self, changes: &[Change<K>]) {
        for change in changes {
            if let Some((_, counter)) = self.counters.get_index_mut(change.place) {
                counter.dirty = true;
            }
        }
    }

    /// Records that this generation of the exposition shows every counter.
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

    /// See [`super::Ledger::restore_exemplars`].
    pub(super) fn restore_exemplars(&mut self, gate: &Gate, local: Timestamp, now: Duration) {
        for counter in self.counters.values_mut() {
            if let Some(latest) = &counter.latest
                && counter.saved.shows_all()
            {
                counter.showing = Showing::since(latest.created_at(), local, now, gate);
                self.exemplar_end = earliest(self.exemplar_end, counter);
            }
        }
    }

    /// See [`super::Ledger::exemplar_end`].
    pub(super) fn exemplar_end(&self) -> Option<Duration> {
        self.exemplar_end
    }

    /// Ends the exemplars whose time is over at `now`, and returns the keys of their
    /// counters.
    pub(super) fn end_exemplars(&mut self, now: Duration) -> Vec<K> {
        let mut ended = Vec::new();
        if self.exemplar_end.is_none_or(|end| now < end) {
            return ended;
        }
        self.exemplar_end = None;
        for (key, counter) in &mut self.counters {
            if counter.showing.end().is_some_and(|end| end <= now) {
                counter.showing = Showing::Over;
                ended.push(key.clone());
            } else {
                self.exemplar_end = earliest(self.exemplar_end, counter);
            }
        }
        ended
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, SavedCounter)> {
        self.counters
            .iter()
            .map(|(key, counter)| (key, counter.saved))
    }

    /// Returns the number of events that are counted and not yet shown.
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

/// Returns the earlier of two times: `end`, and the one at which the exemplar of `counter` is
/// over.
fn earliest(end: Option<Duration>, counter: &Counter) -> Option<Duration> {
    let ends = [end, counter.showing.end()];
    ends.into_iter().flatten().min()
}

impl Counter {
    fn is_pending(&self) -> bool {
        self.saved.published < self.saved.total
    }

    /// Keeps the newest event, since scrapers refuse exemplars that go back in time.
    fn see(&mut self, event: Option<Exemplar>) {
        let Some(event) = event else { return };
        match &mut self.latest {
            Some(latest) if event.created_at() < latest.created_at() => return,
            Some(latest) => **latest = event,
            None => self.latest = Some(Box::new(event)),
        }
        self.showing = Showing::NotYet;
    }

    /// Returns the values that the gate permits, and the number of events that it permits
    /// only because they have waited for as long as an event may wait.
    fn next(&self, gate: &Gate, running: bool, now: Duration) -> (SavedCounter, u64) {
        let before = self.saved.first_value;
        let sight = match self.shown_in {
            _ if before == FirstValue::Seen => Sight::Seen,
            Some(generation) => gate.sight(generation.get(), now),
            None => Sight::Unseen,
        };
        let is_new = before.is_new() && sight == Sight::Unseen;
        let waits = self.is_pending();
        let may_step = gate.is_open_to_all() || (running && !is_new);
        let since = self.saved.waits_since.filter(|_| waits);
        let is_overdue =
            !may_step && since.is_some_and(|since| gate.is_overdue(since, !before.is_new(), now));
        let is_shown = may_step || is_overdue;
        let may_be_missed = match sight {
            Sight::Seen => false,
            Sight::GivenUp => true,
            Sight::Unseen => before == FirstValue::Overruled,
        };
        let has_timed_out = is_overdue || (waits && is_shown && may_be_missed);
        let waiting = self.saved.total - self.saved.published;
        let saved = SavedCounter {
            total: self.saved.total,
            published: if is_shown {
                self.saved.total
            } else {
                self.saved.published
            },
            // No scraper is waited for twice. A count that still waits has to be counted once it
            // is shown without a scraper that is given up.
            first_value: match sight {
                Sight::Seen => FirstValue::Seen,
                Sight::GivenUp if is_shown || !waits => FirstValue::Seen,
                Sight::Unseen if is_overdue => FirstValue::Overruled,
                Sight::GivenUp | Sight::Unseen => before,
            },
            waits_since: (waits && !is_shown).then(|| since.unwrap_or_else(|| gate.wait_time(now))),
        };
        (saved, if has_timed_out { waiting } else { 0 })
    }
}

#[cfg(test)]
mod tests;
