//! A history in which every commit follows from its number.

use std::time::Duration;

use audit_core::{
    account::{Account, Commit, Stage},
    gate::{Gate, SavedGate, SavedScraper, ScrapeInterval, ScraperId},
    ledger::Age,
    window::Clocks,
};
use jiff::Timestamp;
use nexmo_audit_exporter::store::{Store, StoreError};

use super::{KEY, State, at, id, labels, load_account, new_account};

const TYPES: [&str; 3] = ["NUMBER_UPDATED", "USER_LOGIN", "APP_CREATED"];
const COUNTRIES: [&str; 4] = ["GB", "DE", "US", "unknown"];
/// The number of ids of most commits, which are small; every sixteenth spans many
/// pages.
const IDS: u64 = 3;
const MANY_IDS: u64 = 400;

/// An account after a number of commits, and the state that should be stored of it.
pub struct Numbered {
    account: Account,
    pub number: u64,
    pub state: Option<State>,
}

impl Numbered {
    pub fn new() -> Self {
        Self {
            account: new_account(),
            number: 0,
            state: None,
        }
    }

    /// Continues after the last stored commit, as the exporter does.
    pub fn resume(store: &mut Store) -> Self {
        let Some(account) = load_account(store, KEY) else {
            return Self::new();
        };
        let watermark = account.window.watermark().expect("a watermark");
        let number = watermark.duration_since(at(0)).as_secs();
        Self {
            account,
            number: u64::try_from(number).expect("a number"),
            state: State::load(store, KEY),
        }
    }

    /// Returns the next commit.
    pub fn prepare(&mut self) -> (Commit, SavedGate, Timestamp) {
        let next = self.number + 1;
        let now = at(i64::try_from(next).expect("a small number"));
        let ids = if next.is_multiple_of(16) {
            MANY_IDS
        } else {
            IDS
        };
        for place in 0..ids {
            let number = next * 1000 + place;
            self.account.window.admit(id(number), Some(now), now);
            let event_type = TYPES[usize::try_from(number % 3).expect("small")];
            let country = COUNTRIES[usize::try_from(next % 4).expect("small")];
            let labels = labels(event_type, country);
            self.account.ledger.count(&labels, Age::News, None);
        }
        let clocks = Clocks {
            api: now,
            local: now,
        };
        self.account.window.complete_sweep(clocks);
        self.account.stage = Stage {
            start: at(0),
            began: at(0),
            caught_up: next.is_multiple_of(2),
        };
        let gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
        let commit = self.account.prepare(&gate, Duration::ZERO);
        (commit, gate_memory(next), now)
    }

    /// Takes over a commit that was prepared.
    pub fn confirm(&mut self, commit: &Commit) {
        self.account.confirm(commit);
        self.number += 1;
        self.state = Some(State::after(self.state.take(), commit));
    }

    /// Takes over the next commit without storing it.
    pub fn advance(&mut self) {
        let (commit, _, _) = self.prepare();
        self.confirm(&commit);
    }

    /// Prepares and stores the next commit. A commit that fails can be tried again.
    pub fn commit(&mut self, store: &mut Store) -> Result<(), StoreError> {
        let before = self.account.clone();
        let (commit, gate, now) = self.prepare();
        let stored = store.write(&[(KEY, &commit)], Some(&gate), now);
        match stored {
            Ok(()) => self.confirm(&commit),
            Err(_) => self.account = before,
        }
        stored
    }

    /// Returns `true` if a store holds exactly this history.
    pub fn is_in(&self, store: &mut Store) -> bool {
        let now = at(i64::try_from(self.number).expect("a small number"));
        let gate = match self.number {
            0 => SavedGate::default(),
            number => gate_memory(number),
        };
        store.load_gate(now).expect("the state can be read") == gate
            && State::load(store, KEY) == self.state
    }
}

/// Returns a memory of the gate that follows from a number: up to four scrapers, whose
/// intervals follow from the number, too.
fn gate_memory(number: u64) -> SavedGate {
    let scraper = |place: u64| SavedScraper {
        id: ScraperId(place),
        product: number * 7,
        target: place,
        interval: (place > 0).then(|| Duration::from_millis(number * 10 + place)),
        unseen_for: Duration::from_millis(number),
    };
    SavedGate {
        was_scraped: number % 2 == 1,
        scrapers: (0..number % 5).map(scraper).collect(),
        wait_time: Duration::from_secs(number),
        away: Duration::ZERO,
        taken: Duration::ZERO,
    }
}
