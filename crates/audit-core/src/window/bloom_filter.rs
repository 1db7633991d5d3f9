//! A Bloom filter of ids.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use crate::event::EventId;

/// The number of ids for which there is a word of 64 bits. An id that was not added is then
/// taken for one that was with a probability of 3 %.
const IDS_PER_WORD: usize = 8;
/// The number of ids for which an empty filter makes room.
const LEAST_ROOM: usize = 64;

/// A factor by which the higher bits of a product depend on all lower ones.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A set of ids that takes a byte for each id. It never lacks an id that was added, and seems
/// to contain some ids that were not added.
#[derive(Debug, Clone, Default)]
pub(super) struct BloomFilter {
    /// Each id has three bits in one of the words.
    words: Vec<u64>,
    /// The number of ids that can still be added.
    room: usize,
}

impl BloomFilter {
    /// Returns a filter that contains `ids`, of which there are `len`, and has room for half as
    /// many more.
    pub(super) fn of(len: usize, ids: impl Iterator<Item = EventId>) -> Self {
        let words = (len + len / 2).max(LEAST_ROOM).div_ceil(IDS_PER_WORD);
        let mut filter = Self {
            words: vec![0; words],
            room: words * IDS_PER_WORD,
        };
        ids.for_each(|id| filter.add(id));
        filter
    }

    /// Returns `false` if another filter is needed for further ids.
    pub(super) fn has_room(&self) -> bool {
        self.room > 0
    }

    pub(super) fn add(&mut self, id: EventId) {
        let (place, bits) = self.bits(id);
        if let Some(word) = self.words.get_mut(place) {
            *word |= bits;
            self.room = self.room.saturating_sub(1);
        }
    }

    /// Returns `false` if the id was not added.
    pub(super) fn may_contain(&self, id: EventId) -> bool {
        let (place, bits) = self.bits(id);
        self.words
            .get(place)
            .is_some_and(|word| word & bits == bits)
    }

    /// Returns the place of the word of an id, and its bits there.
    fn bits(&self, id: EventId) -> (usize, u64) {
        let hash = FxBuildHasher.hash_one(id);
        // The higher bits of the hash differ little between ids that are counted.
        let spread = hash.wrapping_mul(SPREAD);
        let place = (u128::from(spread) * self.words.len() as u128) >> 64;
        let bit = |shift: u32| 1 << (hash >> shift & 63);
        let place = usize::try_from(place).unwrap_or(0);
        (place, bit(0) | bit(6) | bit(12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_were_added_are_found_and_few_others() {
        const IDS: u128 = 10_000;
        // Ids of versions 4 and 1, and ids that are counted.
        let forms = [0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835, 1 << 96, 1];
        for step in forms {
            let id = |number: u128| EventId::from_bits(number.wrapping_mul(step));
            let len = usize::try_from(IDS).expect("a number");
            let mut filter = BloomFilter::of(len, (0..IDS / 2).map(id));
            (IDS / 2..IDS).map(id).for_each(|id| filter.add(id));
            assert!(filter.has_room());
            assert!((0..IDS).all(|number| filter.may_contain(id(number))));
            let others = (IDS..2 * IDS).filter(|number| filter.may_contain(id(*number)));
            let others = others.count();
            assert!(others < len / 20, "{others} of ids by {step:#x}");
        }
    }

    #[test]
    fn a_filter_without_room_contains_nothing() {
        let mut filter = BloomFilter::default();
        let id = EventId::from_text("a");
        assert!(!filter.has_room());
        filter.add(id);
        assert!(!filter.may_contain(id));
    }
}
