//! The ids that a window remembers.
//!
//! Ids are kept in buckets by time, so that old ones are forgotten many at once and an id
//! takes little more memory than its 16 bytes. A filter of all ids says of most new ones that
//! no bucket has them.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxBuildHasher;

use super::{Remembered, bloom_filter::BloomFilter};
use crate::event::EventId;

/// The number of buckets into which the span of the ids is divided. Whole buckets are
/// forgotten.
const BUCKETS: i32 = 24;

/// The ids that a window remembers.
#[derive(Debug, Clone)]
pub struct Ids {
    /// The span of one bucket, in seconds.
    width: i64,
    buckets: BTreeMap<i64, HashSet<EventId, FxBuildHasher>>,
    /// Contains each id of the buckets, and some that were forgotten.
    filter: BloomFilter,
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
            filter: BloomFilter::default(),
        }
    }

    pub(super) fn without_ids(&self) -> Self {
        Self {
            width: self.width,
            buckets: BTreeMap::new(),
            filter: BloomFilter::default(),
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
        self.renew_filter();
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.values().map(HashSet::len).sum()
    }

    /// Remembers an id at `time`, unless it is remembered at a later time already.
    pub(super) fn remember(&mut self, id: EventId, time: Timestamp) -> Before {
        let bucket = self.bucket(time);
        let before = if self.filter.may_contain(id) {
            self.take_earlier(id, bucket)
        } else {
            Before::Never
        };
        if before == Before::AsLate {
            return before;
        }
        if before == Before::Never {
            if !self.filter.has_room() {
                self.renew_filter();
            }
            self.filter.add(id);
        }
        self.buckets.entry(bucket).or_default().insert(id);
        before
    }

    /// Returns the state of an id that is to be remembered in `bucket`, and removes it from an
    /// earlier bucket.
    ///
    /// The time of an event can differ from answer to answer, so the id is looked for in
    /// every bucket, and first in the one of its time.
    fn take_earlier(&mut self, id: EventId, bucket: i64) -> Before {
        if self
            .buckets
            .get(&bucket)
            .is_some_and(|ids| ids.contains(&id))
        {
            return Before::AsLate;
        }
        let mut newest_first = self.buckets.iter_mut().rev();
        match newest_first.find(|(_, ids)| ids.contains(&id)) {
            Some((later, _)) if *later > bucket => Before::AsLate,
            Some((_, ids)) => {
                ids.remove(&id);
                Before::Earlier
            }
            None => Before::Never,
        }
    }

    fn renew_filter(&mut self) {
        self.filter = BloomFilter::of(self.len(), self.buckets.values().flatten().copied());
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn an_id_is_known_by_its_latest_bucket_until_that_is_forgotten() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut ids = Ids::new(SignedDuration::from_secs(i64::from(BUCKETS)));
        let mut latest: HashMap<EventId, i64> = HashMap::new();
        for step in 0..50_000_i64 {
            let id = EventId::from_bits(random.u128(..8_000) << (random.u32(0..2) * 64));
            let second = step / 1000 + random.i64(0..24);
            let known = latest.get(&id).copied();
            let expected = match known {
                None => Before::Never,
                Some(known) if known < second => Before::Earlier,
                Some(_) => Before::AsLate,
            };
            assert_eq!(ids.remember(id, at(second)), expected, "step {step}");
            latest.insert(id, known.map_or(second, |known| known.max(second)));
            if step % 5000 == 0 {
                ids.forget_before(at(step / 1000));
                latest.retain(|_, known| *known >= step / 1000);
            }
            if step % 20_000 == 0 {
                let stored = latest.iter().map(|(id, second)| (*second, *id));
                let mut stored: Vec<_> = stored.collect();
                stored.sort_unstable();
                let time = |(second, id)| Remembered {
                    time: at(second),
                    id,
                };
                ids = ids.without_ids();
                ids.restore(stored.into_iter().map(time));
            }
            assert_eq!(ids.len(), latest.len());
        }
    }
}
