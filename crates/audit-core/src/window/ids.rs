//! The ids that a window remembers.
//!
//! Ids are kept in buckets by time, so that old ones are forgotten many at once and an id
//! takes little more memory than its 16 bytes.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxBuildHasher;

use crate::event::EventId;

/// The number of buckets into which the span of the ids is divided. A new id is looked for in
/// every bucket, and whole buckets are forgotten.
const BUCKETS: i32 = 24;

/// The ids that a window remembers.
#[derive(Debug, Clone)]
pub(super) struct Ids {
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
        let elsewhere = self.buckets.iter_mut().find(|(_, ids)| ids.contains(&id));
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
