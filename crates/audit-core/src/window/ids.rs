//! The ids that a window remembers.
//!
//! Ids are kept in buckets by time, so that old ones are forgotten many at once and an id
//! takes little more memory than its 16 bytes.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxBuildHasher;

use super::Remembered;
use crate::event::EventId;

/// The number of buckets into which the span of the ids is divided. A new id is looked for in
/// every bucket, and whole buckets are forgotten.
const BUCKETS: i32 = 24;

/// The ids that a window remembers.
#[derive(Debug, Clone)]
pub struct Ids {
    /// The span of one bucket, in seconds.
    width: i64,
    buckets: BTreeMap<i64, HashSet<EventId, FxBuildHasher>>,
}

/// The state of an id before it was remembered at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Never,
    /// The id was remembered at an earlier time, so that it must now be kept for longer.
    Earlier,
    /// The id was remembered at the same time or a later one.
    AsLate,
}

impl Ids {
    /// Returns an empty set for ids whose times are within `span` of each other.
    pub(super) fn new(span: SignedDuration) -> Self {
        let width = (span / BUCKETS).as_secs().max(1);
        Self {
            width,
            buckets: BTreeMap::new(),
        }
    }

    pub(super) fn without_ids(&self) -> Self {
        Self {
            width: self.width,
            buckets: BTreeMap::new(),
        }
    }

    /// Adds ids as they were stored, oldest first. An id that was stored at several times is
    /// kept at each of them.
    pub fn restore(&mut self, ids: impl IntoIterator<Item = Remembered>) {
        let mut ids = ids.into_iter().peekable();
        let mut same = Vec::new();
        while let Some(first) = ids.next() {
            let bucket = self.bucket(first.time);
            same.push(first.id);
            while let Some(next) = ids.next_if(|next| self.bucket(next.time) == bucket) {
                same.push(next.id);
            }
            self.buckets
                .entry(bucket)
                .or_default()
                .extend(same.drain(..));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.values().map(HashSet::len).sum()
    }

    /// Remembers an id at `time`, unless it is remembered at a later time already.
    ///
    /// The time of an event can differ from answer to answer, so the id is looked for in
    /// every bucket, and first in the one of `time`.
    pub(super) fn remember(&mut self, id: EventId, time: Timestamp) -> Before {
        let bucket = self.bucket(time);
        if self
            .buckets
            .get(&bucket)
            .is_some_and(|ids| ids.contains(&id))
        {
            return Before::AsLate;
        }
        let mut newest_first = self.buckets.iter_mut().rev();
        let elsewhere = newest_first.find(|(_, ids)| ids.contains(&id));
        let before = match elsewhere {
            Some((later, _)) if *later > bucket => return Before::AsLate,
            Some((_, ids)) => {
                ids.remove(&id);
                Before::Earlier
            }
            None => Before::Never,
        };
        self.buckets.entry(bucket).or_default().insert(id);
        before
    }

    /// Forgets the ids whose time is before `horizon`, except those in the same bucket.
    pub(super) fn forget_before(&mut self, horizon: Timestamp) {
        self.buckets = self.buckets.split_off(&self.bucket(horizon));
    }

    /// Returns the number of buckets, in each of which a new id is looked for.
    #[cfg(test)]
    pub(super) fn buckets(&self) -> usize {
        self.buckets.len()
    }

    fn bucket(&self, time: Timestamp) -> i64 {
        time.as_second().div_euclid(self.width)
    }
}
