//! Several exporters that share the accounts of one file.

use std::collections::BTreeSet;

use test_support::exporter::Exporter;
use test_support::exposition::samples;

use crate::vendor::{Vendor, wait_for_counted};

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

fn shard(vendor: &Vendor, index: usize, count: usize) -> Exporter {
    let index_flag = format!("--shard.index={index}");
    let count = format!("--shard.count={count}");
    let exporter = vendor.start_with(&format!("state-{index}"), &[&index_flag, &count]);
    exporter.wait_until_ready();
    exporter
}

fn accounts(exporter: &Exporter) -> BTreeSet<String> {
    let samples = samples(&exporter.page("/metrics"));
    let accounts = samples
        .into_iter()
        .filter_map(|mut sample| sample.labels.remove("account"));
    accounts.collect()
}

#[test]
fn each_account_is_counted_by_one_shard_and_starts_anew_when_it_moves() {
    let vendor = Vendor::new(&NAMES);
    for name in NAMES {
        vendor.record_many(name, 2);
    }
    vendor.configure_accounts(&NAMES);
    let alone = shard(&vendor, 0, 1);
    assert_eq!(accounts(&alone), NAMES.map(str::to_owned).into());
    for name in NAMES {
        wait_for_counted(&alone, name, 2);
    }
    drop(alone);

    let shards = [shard(&vendor, 0, 2), shard(&vendor, 1, 2)];
    let [stayed, moved] = [accounts(&shards[0]), accounts(&shards[1])];
    assert!(!stayed.is_empty() && !moved.is_empty());
    assert!(stayed.is_disjoint(&moved));
    assert_eq!(stayed.len() + moved.len(), NAMES.len());
    for name in NAMES {
        vendor.record_many(name, 1);
    }
    // An account that stayed continues. An account that moved begins anew in its shard,
    // where only --poll.start reaches into its past.
    for name in &stayed {
        wait_for_counted(&shards[0], name, 3);
    }
    for name in &moved {
        wait_for_counted(&shards[1], name, 3);
    }
    drop(shards);

    // An account that moves back continues from the state of its first shard: no event
    // is counted twice or lost.
    let alone = shard(&vendor, 0, 1);
    for name in NAMES {
        wait_for_counted(&alone, name, 3);
    }
}
