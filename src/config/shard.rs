//! The rule by which several exporters share the accounts.
//!
//! The rule is jump consistent hashing (Lamping and Veach, "A Fast, Minimal Memory,
//! Consistent Hash Algorithm", 2014) of the account's name: from n to n + 1 shards,
//! every (n + 1)th account moves to the new shard, and no other account moves.

use xxhash_rust::xxh3::xxh3_64;

/// One of several exporters that share the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    /// The number of this exporter, from 0 and below `count`.
    pub(crate) index: u32,
    /// The number of exporters; above 0.
    pub(crate) count: u32,
}

impl Shard {
    /// The shard that counts every account.
    pub(crate) const ONLY: Self = Self { index: 0, count: 1 };

    /// Returns `true` if this shard counts the account with that name. The rule may not
    /// change: each shard keeps the counts of its accounts.
    pub(crate) fn counts(self, account: &str) -> bool {
        jump(xxh3_64(account.as_bytes()), self.count) == self.index
    }
}

/// Returns the number at the end of the name of a machine, such as 2 for the pod
/// `exporter-2` of a Kubernetes `StatefulSet`.
pub(super) fn ordinal(host_name: &str) -> Option<u32> {
    let (_, digits) = host_name.rsplit_once('-')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the algorithm is defined by these roundings, and every number is below 2^53"
)]
fn jump(mut key: u64, buckets: u32) -> u32 {
    let mut bucket = 0;
    let mut next = 0;
    while next < u64::from(buckets) {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let share = (1_u64 << 31) as f64 / ((key >> 33) + 1) as f64;
        next = ((bucket + 1) as f64 * share) as u64;
    }
    u32::try_from(bucket).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> impl Iterator<Item = String> {
        (0..10_000).map(|number| format!("account {number}"))
    }

    fn shard(account: &str, count: u32) -> u32 {
        let mine = (0..count).filter(|index| {
            Shard {
                index: *index,
                count,
            }
            .counts(account)
        });
        let mine: Vec<u32> = mine.collect();
        assert_eq!(mine.len(), 1, "{account}");
        mine[0]
    }

    #[test]
    fn each_account_has_one_shard_and_each_shard_its_part() {
        for count in [1_u32, 2, 3, 7] {
            let mut sizes = vec![0_u32; count as usize];
            for name in names() {
                sizes[shard(&name, count) as usize] += 1;
            }
            let fair = 10_000 / count;
            let near = |size: &u32| size.abs_diff(fair) < fair / 10;
            assert!(sizes.iter().all(near), "{sizes:?}");
        }
    }

    #[test]
    fn one_shard_more_takes_its_part_and_moves_nothing_else() {
        for count in [1, 2, 5] {
            let moved = names().filter(|name| {
                let (before, after) = (shard(name, count), shard(name, count + 1));
                assert!(after == before || after == count, "{name}");
                after != before
            });
            let moved = u32::try_from(moved.count()).expect("a number");
            let fair = 10_000 / (count + 1);
            assert!(moved.abs_diff(fair) < fair / 10, "{moved}");
        }
    }

    /// Each shard stores the counts of its accounts, so the rule may not change.
    #[test]
    fn the_rule_stays_as_it_is() {
        let names = ["production", "test", "a", ""];
        assert_eq!(names.map(|name| shard(name, 16)), [15, 12, 14, 0]);
    }

    /// The results of other implementations of the algorithm.
    #[test]
    fn known_jumps() {
        let cases = [
            (1, 1, 0),
            (0, 60, 0),
            (256, 1024, 520),
            (0xDEAD_10CC, 1, 0),
            (0xDEAD_10CC, 666, 361),
        ];
        for (key, buckets, expected) in cases {
            assert_eq!(jump(key, buckets), expected, "{key} in {buckets}");
        }
    }

    #[test]
    fn ordinals() {
        let cases = [
            ("exporter-2", Some(2)),
            ("nexmo-audit-exporter-10", Some(10)),
            ("a-007", Some(7)),
            ("exporter", None),
            ("exporter-", None),
            ("exporter-x1", None),
            ("exporter-+1", None),
            ("exporter-99999999999", None),
        ];
        for (name, expected) in cases {
            assert_eq!(ordinal(name), expected, "{name}");
        }
    }
}
