//! Counting as the poller does it: pages are parsed, counted, and committed in pieces.

use std::{path::Path, time::Duration};

use audit_core::{
    account::{Account, Commit},
    event::{Keep, Page},
    gate::{Gate, SavedGate, ScrapeInterval},
    sweep::PIECE_EVENTS,
    window::{Clocks, WindowSettings},
};
use jiff::{SignedDuration, Timestamp};
use nexmo_audit_exporter::store::Store;

use super::pages::{PAGE_SIZE, newest};

/// The API key of the account, which can be any key.
pub const KEY: &str = "abcd1234";
/// The number of pages that make a piece.
pub const PIECE_PAGES: usize = 200;
const _: () = assert!((PIECE_PAGES * PAGE_SIZE) as u64 == PIECE_EVENTS);
const MAX_SERIES: usize = 1_000_000;

/// The default settings of the exporter.
const WINDOW: WindowSettings = WindowSettings {
    lookback: SignedDuration::from_mins(15),
    retention: SignedDuration::from_hours(25),
};

/// Makes an account that counts events created from `start` on.
pub fn account(start: Timestamp) -> Account {
    Account::new(WINDOW, start, start, MAX_SERIES)
}

/// Makes an account that counts the events of [`super::pages`].
pub fn account_for_pages() -> Account {
    account(newest() - SignedDuration::from_hours(24))
}

/// Parses a page and counts it. Returns the number of new events.
pub fn count(account: &mut Account, page: &str) -> usize {
    let page = Page::parse(page, Keep::Parsed).expect("a page");
    account.count(&page, newest(), None).lags.len()
}

/// Returns the next commit, with a gate that shows every count at once.
pub fn prepare(account: &mut Account, now: Timestamp) -> Commit {
    let clocks = Clocks {
        api: now,
        local: now,
    };
    account.window.complete_sweep(clocks);
    account.stage.caught_up = true;
    let gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    account.prepare(&gate, Duration::ZERO)
}

/// Stores a commit durably.
pub fn store(store: &mut Store, commit: &Commit) {
    let saved_gate = SavedGate::default();
    let stored = store.write(&[(KEY, commit)], Some(&saved_gate), Timestamp::now());
    stored.expect("the commit is stored");
}

/// Counts all pages and commits them into a new store. Returns the number of events.
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
