//! The ids that are remembered, in buckets of time, so that forgetting is cheap
//! and an id costs its 16 bytes and a little.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxBuildHasher;

use crate::event::EventId;

/// How many buckets a retention is divided into. Every bucket is asked for an id
/// that is new, and forgetting is this coarse.
const BUCKETS: i32 = 24;

/// The ids that are remembered.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    /// In seconds.
    width: i64,
    buckets: BTreeMap<i64, HashSet<EventId, FxBuildHasher>>,
}

/// Whether an id was remembered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Never,
    /// At an earlier time, so that it is to be forgotten later now.
    Earlier,
    AsLate,
}

impl Ids {
    pub(super) fn new(retention: SignedDuration) -> Self {
        let width = (retention / BUCKETS).as_secs().max(1);
        Self {
            width,
            buckets: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.values().map(HashSet::len).sum()
    }

    /// Remembers an id at a time, if not at a later one already.
    ///
    /// Where an id is remembered says little, since a time may change: it is
    /// looked for at `time` first and then everywhere.
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

    /// Forgets ids whose time is before `horizon`; some may stay a little longer.
    pub(super) fn forget_before(&mut self, horizon: Timestamp) {
        self.buckets = self.buckets.split_off(&self.bucket(horizon));
    }

    fn bucket(&self, time: Timestamp) -> i64 {
        time.as_second().div_euclid(self.width)
    }
}
