//! The order of the list, computed without an ordered copy of it.

use crate::list_form::ListOrder;
use crate::random::{self, Purpose};

/// Returns the rank, counted from the oldest event, of the event at `position` in a list of
/// `total` events. Shuffled lists with the same `salt` have the same order.
pub(crate) fn rank(order: ListOrder, position: u64, total: u64, salt: u64) -> u64 {
    match order {
        ListOrder::Newest => total - 1 - position,
        ListOrder::Oldest => position,
        ListOrder::Shuffled | ListOrder::Reshuffled => permute(position, total, salt),
    }
}

/// Permutes `0..total`: a Feistel network over the next power of four, which is applied
/// until the value is below `total`.
fn permute(position: u64, total: u64, salt: u64) -> u64 {
    let bits = u64::BITS - (total - 1).leading_zeros();
    let half = bits.div_ceil(2).max(1);
    let mut value = position;
    loop {
        value = feistel(value, half, salt);
        if value < total {
            return value;
        }
    }
}

fn feistel(value: u64, half: u32, salt: u64) -> u64 {
    let mask = (1 << half) - 1;
    let (mut left, mut right) = (value >> half, value & mask);
    for round in 0..4 {
        let keyed = random::bits(salt, Purpose::Shuffle, (right << 2) | round);
        (left, right) = (right, left ^ (keyed & mask));
    }
    (left << half) | right
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORDERS: [ListOrder; 4] = [
        ListOrder::Newest,
        ListOrder::Oldest,
        ListOrder::Shuffled,
        ListOrder::Reshuffled,
    ];

    proptest! {
        #[test]
        fn every_order_is_a_permutation(total in 1_u64..600, salt: u64) {
            for order in ORDERS {
                let mut ranks: Vec<_> =
                    (0..total).map(|position| rank(order, position, total, salt)).collect();
                ranks.sort_unstable();
                prop_assert!(ranks.into_iter().eq(0..total));
            }
        }
    }

    #[test]
    fn another_salt_is_another_order() {
        let order = |salt| {
            (0..100)
                .map(|at| permute(at, 100, salt))
                .collect::<Vec<_>>()
        };
        assert_ne!(order(1), order(2));
        assert_ne!(order(1), (0..100).collect::<Vec<_>>());
    }
}
