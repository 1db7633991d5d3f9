//! States that older versions wrote are taken up by this version.

use std::{fs, io::Read as _};

use audit_core::ledger::SavedCounter;
use test_support::store::{KEY, at, directory, file_in, load_account, open};

/// A state that the exporter wrote when this format was the present one: 63 events of
/// two hours in the account `abcd1234`, and no server that scraped.
const FORMAT_1: &[u8] = include_bytes!("fixtures/state-format-1.redb.gz");

#[test]
fn a_state_of_the_first_format_is_taken_up() {
    let directory = directory();
    fs::write(file_in(directory.path()), unpacked(FORMAT_1)).expect("a file");
    // The state is read twice, since the upgraded state is stored.
    for _ in 0..2 {
        let mut store = open(directory.path());
        let account = load_account(&mut store, KEY).expect("the account");
        let began = "2026-11-23T08:34:26Z".parse().expect("a time");
        assert_eq!((account.stage.start, account.stage.began), (began, began));
        let total = |counter: (_, SavedCounter)| counter.1.total;
        assert_eq!(account.ledger.series().map(total).sum::<u64>(), 63);
        let total = |counter: (_, SavedCounter)| counter.1.total;
        assert_eq!(account.ledger.types().map(total).sum::<u64>(), 63);
        let all = account.ledger.all();
        assert!(all.series.iter().all(|series| series.latest.is_none()));
    }
}

/// A state that the exporter wrote when this format was the present one: 60 events, of
/// which the last hours are history, in the account `abcd1234`.
const FORMAT_2: &[u8] = include_bytes!("fixtures/state-format-2.redb.gz");

#[test]
fn a_state_of_the_second_format_is_taken_up() {
    let directory = directory();
    fs::write(file_in(directory.path()), unpacked(FORMAT_2)).expect("a file");
    for _ in 0..2 {
        let mut store = open(directory.path());
        let account = load_account(&mut store, KEY).expect("the account");
        let start = "2026-11-23T06:33:35Z".parse().expect("a time");
        assert_eq!(account.stage.start, start);
        let total = |counter: (_, SavedCounter)| counter.1.total;
        assert_eq!(account.ledger.series().map(total).sum::<u64>(), 60);
        assert_eq!(store.last_line(KEY).expect("the state can be read"), 0);
    }
}

/// A state that the exporter wrote when this format was the present one: 58 events in the
/// account `abcd1234`, all shown, and a server that scraped.
const FORMAT_3: &[u8] = include_bytes!("fixtures/state-format-3.redb.gz");

#[test]
fn a_state_of_the_third_format_is_taken_up() {
    let directory = directory();
    fs::write(file_in(directory.path()), unpacked(FORMAT_3)).expect("a file");
    for _ in 0..2 {
        let mut store = open(directory.path());
        let account = load_account(&mut store, KEY).expect("the account");
        let counters: Vec<SavedCounter> = account.ledger.series().map(|(_, saved)| saved).collect();
        assert_eq!(
            counters.iter().map(|saved| saved.published).sum::<u64>(),
            58
        );
        assert!(counters.iter().all(|saved| saved.waits_since.is_none()));
        assert!(
            account
                .ledger
                .all()
                .series
                .iter()
                .all(|series| series.latest.is_some())
        );
        // The ids of scrapers have changed since, so the gate waits for none of them.
        let gate = store.load_gate(at(0)).expect("a gate");
        assert!(gate.was_scraped && gate.scrapers.is_empty());
    }
}

fn unpacked(gzip: &[u8]) -> Vec<u8> {
    let mut state = Vec::new();
    let mut gzip = flate2::read::GzDecoder::new(gzip);
    gzip.read_to_end(&mut state).expect("gzip");
    state
}
