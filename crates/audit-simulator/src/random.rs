//! Random values that follow from a seed and a number alone, so that an event can be drawn
//! again at any time and is the same.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The purpose of a value: one number gives unrelated values for two purposes.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    HistoryGaps = 1,
    LiveGaps,
    Burst,
    Delay,
    Key,
    User,
    Person,
    Named,
    Context,
    IdHigh,
    IdLow,
    Shuffle,
    Fault,
    Shrink,
}

/// Returns 64 random bits for `number`.
pub(crate) fn bits(seed: u64, purpose: Purpose, number: u64) -> u64 {
    let mut input = [0; 9];
    input[..8].copy_from_slice(&number.to_le_bytes());
    input[8] = purpose as u8;
    xxh3_64_with_seed(&input, seed)
}

/// Returns a generator of several random values for `number`.
pub(crate) fn generator(seed: u64, purpose: Purpose, number: u64) -> fastrand::Rng {
    fastrand::Rng::with_seed(bits(seed, purpose, number))
}

/// Returns a share from 0 (included) to 1 (excluded) for `number`.
pub(crate) fn share(seed: u64, purpose: Purpose, number: u64) -> f64 {
    generator(seed, purpose, number).f64()
}

/// Returns an index that is drawn by `weights`, whose sum is `total`.
pub(crate) fn weighted(
    rng: &mut fastrand::Rng,
    total: u32,
    weights: impl Iterator<Item = u32>,
) -> usize {
    let mut left = rng.u32(..total.max(1));
    let mut last = 0;
    for (index, weight) in weights.enumerate() {
        if left < weight {
            return index;
        }
        left -= weight;
        last = index;
    }
    last
}
