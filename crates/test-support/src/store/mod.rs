//! States to store, and processes that store them.

pub mod child;
pub mod numbered;

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use audit_core::{
    account::{Account, Commit, Stage},
    event::{EventId, Labels, TypeFilter},
    ledger::{Change, Changes, Exemplar, Ledger, SavedCounter, SeriesKey},
    outbox::Outbox,
    window::{SavedWindow, Window, WindowSettings},
};
use jiff::{SignedDuration, Timestamp};
use nexmo_audit_exporter::store::{SavedAccount, Store, StoreError};
use numbered::Numbered;
use redb::{Database, ReadableDatabase as _, ReadableTableMetadata as _, TableDefinition};
use tempfile::TempDir;

pub const KEY: &str = "abcd1234";

/// Settings with short times, so that ids are soon forgotten.
pub const SETTINGS: WindowSettings = WindowSettings {
    lookback: SignedDuration::from_secs(10),
    retention: SignedDuration::from_secs(100),
};

/// Returns the time so many seconds after 2026-11-20T00:00:00Z.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_132_800 + seconds).expect("a time within range")
}

pub fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

pub fn file_in(directory: &Path) -> PathBuf {
    directory.join("state.redb")
}

pub fn open(directory: &Path) -> Store {
    Store::open(directory).expect("the state opens")
}

/// Returns every path in a directory, with the content of the files.
pub fn contents(directory: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let bytes = path.is_file().then(|| fs::read(&path).expect("a file"));
            (path, bytes)
        })
        .collect()
}

pub fn labels(event_type: &str, country: &str) -> Labels<'static> {
    Labels {
        event_type: event_type.to_owned().into(),
        source: "CD".into(),
        source_country: country.to_owned().into(),
    }
}

pub fn id(number: u64) -> EventId {
    EventId::from_text(&number.to_string())
}

pub fn new_account() -> Account {
    Account {
        window: Window::new(SETTINGS, at(0)),
        ledger: Ledger::new(100),
        stage: Stage {
            start: at(0),
            began: at(0),
            caught_up: false,
        },
        outbox: Outbox::default(),
        filter: TypeFilter::default(),
    }
}

/// Loads an account as the exporter does when it starts.
pub fn load_account(store: &mut Store, key: &str) -> Option<Account> {
    let saved = store.load_account(key, Ledger::new(100));
    let saved = saved.expect("the state can be read")?;
    let mut window = Window::restore(SETTINGS, saved.window);
    let mut ids = window.no_ids();
    let read = store.load_ids(key, |stored| ids.restore(stored));
    read.expect("the ids can be read");
    window.recall(ids);
    Some(Account {
        window,
        ledger: saved.ledger,
        stage: saved.stage,
        outbox: Outbox::default(),
        filter: TypeFilter::default(),
    })
}

/// The stored part of a counter.
type Counter = (SavedCounter, Option<Exemplar>);

/// Everything that is stored of an account, in a form that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    stage: Stage,
    window: SavedWindow,
    ids: BTreeSet<(i64, u128)>,
    series: BTreeMap<SeriesKey, Counter>,
    types: BTreeMap<Arc<str>, Counter>,
    gate_timeouts: u64,
}

fn counter<K>(change: Change<K>) -> (K, Counter) {
    (change.key, (change.saved, change.latest))
}

impl State {
    pub fn load(store: &mut Store, key: &str) -> Option<Self> {
        let saved = store.load_account(key, Ledger::new(100));
        let SavedAccount {
            stage,
            window,
            ledger,
        } = saved.expect("the state can be read")?;
        let ids = store.load_ids(key, |ids| {
            let ids = ids.map(|id| (id.time.as_second(), id.id.to_bits()));
            ids.collect::<Vec<_>>()
        });
        let ids = ids.expect("the ids can be read");
        assert!(ids.is_sorted(), "ids come oldest first");
        let ids = ids.into_iter().collect();
        let Changes {
            series,
            types,
            gate_timeouts,
        } = ledger.all();
        Some(Self {
            stage,
            window,
            ids,
            series: series.into_iter().map(counter).collect(),
            types: types.into_iter().map(counter).collect(),
            gate_timeouts,
        })
    }

    /// Returns the state that a commit makes of `before`.
    pub fn after(before: Option<Self>, commit: &Commit) -> Self {
        let mut state = before.unwrap_or_else(|| Self {
            stage: commit.stage,
            window: commit.window,
            ids: BTreeSet::new(),
            series: BTreeMap::new(),
            types: BTreeMap::new(),
            gate_timeouts: 0,
        });
        state.gate_timeouts = commit.changes.gate_timeouts;
        state.stage = commit.stage;
        state.window = commit.window;
        let seconds = |time: Timestamp| time.as_nanosecond().div_euclid(1_000_000_000);
        let floor = i64::try_from(seconds(commit.window.floor)).expect("within range");
        for fresh in &commit.ids {
            let second = i64::try_from(seconds(fresh.time)).expect("within range");
            state.ids.insert((second, fresh.id.to_bits()));
        }
        state.ids.retain(|(time, _)| *time >= floor);
        for change in &commit.changes.series {
            state.series.extend([counter(change.clone())]);
        }
        for change in &commit.changes.types {
            state.types.extend([counter(change.clone())]);
        }
        state
    }

    pub fn watermark(&self) -> Option<Timestamp> {
        self.window.watermark
    }

    pub fn ids(&self) -> usize {
        self.ids.len()
    }
}

/// Returns the number of ids in the file, of which some may be forgotten.
pub fn ids_in_file(directory: &Path) -> u64 {
    const IDS: TableDefinition<'_, (u32, i64, u128), ()> = TableDefinition::new("ids");
    let database = Database::open(file_in(directory)).expect("a database");
    let transaction = database.begin_read().expect("a transaction");
    let table = transaction.open_table(IDS).expect("the table");
    table.len().expect("a number")
}

pub fn history_in(directory: &Path, commits: u32) -> Numbered {
    let mut store = open(directory);
    let mut history = Numbered::new();
    for _ in 0..commits {
        history.commit(&mut store).expect("the commit is stored");
    }
    history
}

/// Returns the error of opening the state, with the directory written as `DIR`.
pub fn complaint(directory: &Path) -> String {
    let error = Store::open(directory).expect_err("the state cannot be opened");
    without(directory, &error)
}

pub fn without(directory: &Path, error: &StoreError) -> String {
    error
        .to_string()
        .replace(&directory.display().to_string(), "DIR")
}

/// Writes a line to the output of the tests.
pub fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error can be written");
}

/// Returns a number from the environment.
pub fn told(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}
