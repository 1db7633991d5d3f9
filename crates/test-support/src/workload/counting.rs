//! Counting as the poller does it: pages are parsed and counted, and committed in
//! pieces.

use std::{path::Path, time::Duration};

use audit_core::{
    account::{Account, Commit},
    event::{Keep, Page},
    gate::{Gate, GateMemory, ScrapeInterval},
    sweep::PIECE_EVENTS,
    window::{Clocks, WindowSettings},
};
use jiff::{SignedDuration, Timestamp};
use nexmo_audit_exporter::store::Store;

use super::pages::{PAGE_SIZE, newest};

/// Any key.
pub const KEY: &str = "abcd1234";
/// As many pages as make a piece.
pub const PIECE_PAGES: usize = 200;
const _: () = assert!((PIECE_PAGES * PAGE_SIZE) as u64 == PIECE_EVENTS);
const MAX_SERIES: usize = 1_000_000;

/// The defaults of the exporter.
const WINDOW: WindowSettings = WindowSettings {
    lookback: SignedDuration::from_mins(15),
    retention: SignedDuration::from_hours(25),
};

/// An account that counts what was created from `start` on, and has counted nothing.
pub fn account(start: Timestamp) -> Account {
    Account::new(WINDOW, start, start, MAX_SERIES)
}

/// An account for the events of [`super::pages`].
pub fn account_for_pages() -> Account {
    account(newest() - SignedDuration::from_hours(24))
}

/// Parses a page and counts it; says how many events were new.
pub fn count(account: &mut Account, page: &str) -> usize {
    let page = Page::parse(page, Keep::Parsed).expect("a page");
    account.count(&page, newest()).lags.len()
}

/// What a commit stores while everything is shown at once.
pub fn prepare(account: &mut Account, now: Timestamp) -> Commit {
    let clocks = Clocks {
        api: now,
        local: now,
    };
    account.window.complete_sweep(clocks);
    account.stage.caught_up = true;
    let gate = Gate::new(ScrapeInterval::Off, &GateMemory::default());
    account.prepare(&gate, Duration::ZERO)
}

/// Stores a commit, durably.
pub fn store(store: &mut Store, commit: &Commit) {
    let memory = GateMemory::default();
    let stored = store.commit(&[(KEY, commit)], Some(&memory), Timestamp::now());
    stored.expect("the disk takes it");
}

/// Counts and commits all pages into a new store; says how many events that were.
pub fn count_and_commit(pages: &[String], directory: &Path) -> usize {
    let mut state = Store::open(directory).expect("a store");
    let mut account = account_for_pages();
    let mut counted = 0;
    for piece in pages.chunks(PIECE_PAGES) {
        for page in piece {
            counted += count(&mut account, page);
        }
        let commit = prepare(&mut account, newest());
        store(&mut state, &commit);
        account.confirm(&commit);
    }
    counted
}
