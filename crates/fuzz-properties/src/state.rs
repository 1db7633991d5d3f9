//! An undamaged state file whose content no version of the exporter wrote: the store
//! refuses or accepts it without a panic.

use std::path::Path;

use nexmo_audit_exporter::store::{StateReader, Store};
use redb::{Database, Key, TableDefinition, Value};
use test_support::store::{KEY, at, file_in, history_in, load_account};

use crate::{Bytes, store::folder};

type Latest<'a> = (i64, u128, Option<&'a str>);
type Counter<'a> = (u64, u64, u8, Option<u64>, Option<Latest<'a>>);
type Progress = (i128, i128, bool, i128, Option<i128>, Option<i128>);

// The tables as in `src/store/tables.rs`.
const ACCOUNTS: TableDefinition<'_, &str, u32> = TableDefinition::new("accounts");
const PROGRESS: TableDefinition<'_, u32, Progress> = TableDefinition::new("progress");
const IDS: TableDefinition<'_, (u32, i64, u128), ()> = TableDefinition::new("ids");
const SERIES: TableDefinition<'_, (u32, &str, &str, &str), Counter<'static>> =
    TableDefinition::new("series");
const TYPES: TableDefinition<'_, (u32, &str), Counter<'static>> = TableDefinition::new("types");
const LINES: TableDefinition<'_, &str, &str> = TableDefinition::new("lines");
const SCRAPERS: TableDefinition<'_, u64, (u64, u64, Option<u64>, i128)> =
    TableDefinition::new("scrapers");
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");

const MAX_CHANGES: usize = 8;

pub fn holds(data: &[u8]) {
    let directory = folder();
    let directory = directory.path();
    history_in(directory, 2);
    let mut bytes = Bytes(data);
    change(directory, &mut bytes);
    let Ok(mut store) = Store::open(directory) else {
        return;
    };
    // Content that cannot be read is an error, after which the store still works.
    let _ = store.load_gate(at(0));
    let _ = store.last_line(KEY);
    let _ = store.lines(KEY, bytes.number(8), 1 << 20);
    let counters = store.load_account(KEY, audit_core::ledger::Ledger::new(100));
    let ids = store.load_ids(KEY, |ids| ids.count());
    if let (Ok(Some(_)), Ok(_)) = (counters, ids) {
        load_account(&mut store, KEY).expect("it was read before");
    }
    drop(store);
    read_part_by_part(directory);
}

fn read_part_by_part(directory: &Path) {
    let Ok(state) = StateReader::open(directory) else {
        return;
    };
    let _ = state.gate();
    if let Ok(Some(parts)) = state.parts(KEY) {
        parts.map_while(Result::ok).for_each(drop);
    }
}

fn change(directory: &Path, bytes: &mut Bytes<'_>) {
    let database = Database::open(file_in(directory)).expect("a database");
    for _ in 0..MAX_CHANGES {
        if bytes.is_empty() {
            break;
        }
        one(&database, bytes);
    }
}

fn one(database: &Database, bytes: &mut Bytes<'_>) {
    let account = u32::try_from(odd(bytes) & 0xffff_ffff).expect("32 bits");
    let (text, other) = (word(bytes), word(bytes));
    match bytes.byte() % 10 {
        0 => insert(database, ACCOUNTS, KEY, account),
        1 => {
            let known = |bytes: &mut Bytes<'_>| bytes.byte().is_multiple_of(2).then(|| wide(bytes));
            let progress = (
                wide(bytes),
                wide(bytes),
                true,
                wide(bytes),
                known(bytes),
                known(bytes),
            );
            insert(database, PROGRESS, account, progress);
        }
        2 => insert(database, IDS, (account, signed(bytes), 7), ()),
        3 => {
            let latest = (signed(bytes), u128::from(odd(bytes)), Some(&*other));
            let counter = (odd(bytes), odd(bytes), 1, None, Some(latest));
            insert(database, SERIES, (account, &*text, &*other, ""), counter);
        }
        4 => {
            let latest = (signed(bytes), u128::from(odd(bytes)), None);
            let counter = (
                odd(bytes),
                odd(bytes),
                bytes.byte() % 4,
                Some(odd(bytes)),
                Some(latest),
            );
            insert(database, TYPES, (account, &*text), counter);
        }
        5 => insert(database, LINES, &*text, &*other),
        6 => insert(database, LINES, &*format!("{account:08x}.{text}"), &*other),
        7 => {
            let interval = bytes.byte().is_multiple_of(2).then(|| odd(bytes));
            let scraper = (odd(bytes), odd(bytes), interval, wide(bytes));
            insert(database, SCRAPERS, odd(bytes), scraper);
        }
        8 => insert(database, NUMBERS, name(bytes), odd(bytes)),
        _ => insert(
            database,
            ABOUT,
            ["program", "format", "written by"][usize::from(bytes.byte() % 3)],
            &*text,
        ),
    }
}

fn name(bytes: &mut Bytes<'_>) -> &'static str {
    [
        "writer",
        "sequence",
        "gate begun",
        "gate wait time",
        "gate stored at",
        "gate timeouts 00000000",
        "other",
    ][usize::from(bytes.byte() % 7)]
}

fn insert<'k, 'v, K: Key, V: Value>(
    database: &Database,
    table: TableDefinition<'_, K, V>,
    key: impl std::borrow::Borrow<K::SelfType<'k>>,
    value: impl std::borrow::Borrow<V::SelfType<'v>>,
) {
    let transaction = database.begin_write().expect("a transaction");
    let mut open = transaction.open_table(table).expect("the table");
    open.insert(key, value).expect("it can be written");
    drop(open);
    transaction.commit().expect("it can be committed");
}

/// Returns a number near one of the ends of its range, or any number.
fn odd(bytes: &mut Bytes<'_>) -> u64 {
    match bytes.byte() % 4 {
        0 => u64::from(bytes.byte()),
        1 => u64::MAX - u64::from(bytes.byte()),
        2 => u64::from(u32::MAX) - u64::from(bytes.byte()),
        _ => bytes.number(8),
    }
}

fn signed(bytes: &mut Bytes<'_>) -> i64 {
    odd(bytes).cast_signed()
}

/// Returns a time in nanoseconds, whose range is larger than 64 bits.
fn wide(bytes: &mut Bytes<'_>) -> i128 {
    i128::from(signed(bytes)) << (bytes.byte() % 64)
}

fn word(bytes: &mut Bytes<'_>) -> String {
    let length = usize::from(bytes.byte() % 32);
    String::from_utf8_lossy(&bytes.take(length)).into_owned()
}
