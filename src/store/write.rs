//! Writes commits to the state file.

use std::{collections::BTreeSet, ops::Bound, sync::Arc, time::Duration};

use audit_core::{
    account::Commit, gate::SavedGate, ledger::Changes, outbox::Lines, window::Remembered,
};
use jiff::{SignedDuration, Timestamp};
use redb::{CursorError, Error, ReadableTable, ReadableTableMetadata, Table, WriteTransaction};

use super::{
    file::{self, OpenFile},
    tables::{
        self, ACCOUNTS, AccountNumber, GATE_BEGUN, GATE_STORED_AT, GATE_WAIT_TIME, IDS, LINES,
        LINES_REMOVED, NUMBERS, PROGRESS, SCRAPERS, SEQUENCE, SERIES, StoredIdKey, TYPES, WRITER,
    },
    write_id::WriteId,
};

/// The highest number of ids of an account that one commit removes, so that it takes no more
/// than a moment.
const FORGOTTEN_AT_ONCE: usize = 20_000;

/// Writes `commits`, each with its API key, and the memory of the gate in one
/// transaction, which is on the disk when the function returns. All values are
/// absolute, so that the same commits can be written again.
pub(super) fn commits(
    file: &OpenFile,
    commits: &[(&str, &Commit)],
    gate: Option<&SavedGate>,
    now: Timestamp,
    id: WriteId,
) -> Result<(), Error> {
    let transaction = file::begin_write(&file.database)?;
    for (api_key, commit) in commits {
        write_account(&transaction, api_key, commit)?;
    }
    if let Some(gate) = gate {
        write_gate(&transaction, gate, now)?;
    }
    write_last_id(&transaction, id)?;
    Ok(transaction.commit()?)
}

fn write_account(
    transaction: &WriteTransaction,
    api_key: &str,
    commit: &Commit,
) -> Result<(), Error> {
    let account = number_of(transaction, api_key)?;
    let progress = tables::progress(commit.stage, commit.window);
    transaction
        .open_table(PROGRESS)?
        .insert(account, progress)?;
    write_ids(transaction, account, &commit.ids, commit.window.floor)?;
    write_counters(transaction, account, &commit.changes)?;
    write_gate_timeouts(transaction, account, commit.changes.gate_timeouts)?;
    write_lines(transaction, account, &commit.lines)
}

/// Returns the number of an account, which is a new number if the account has none.
/// Accounts are never removed, so their count is the next free number.
pub(super) fn number_of(
    transaction: &WriteTransaction,
    api_key: &str,
) -> Result<AccountNumber, Error> {
    let mut accounts = transaction.open_table(ACCOUNTS)?;
    let known = accounts.get(api_key)?.map(|number| number.value());
    if let Some(number) = known {
        return Ok(number);
    }
    let number = AccountNumber::try_from(accounts.len()?)
        .map_err(|_| Error::Corrupted("there are too many accounts".to_owned()))?;
    accounts.insert(api_key, number)?;
    Ok(number)
}

/// Adds ids, and removes ids that are older than `floor`: a part of them if they are many, as
/// after the retention was shortened. The next commits remove the rest.
fn write_ids(
    transaction: &WriteTransaction,
    account: AccountNumber,
    ids: &[Remembered],
    floor: Timestamp,
) -> Result<(), Error> {
    let mut table = transaction.open_table(IDS)?;
    let forgotten = tables::ids_before(account, floor);
    let mut keys: Vec<_> = ids
        .iter()
        .map(|id| tables::id_key(account, id))
        .filter(|key| *key >= forgotten.end)
        .collect();
    keys.sort_unstable();
    insert_in_order(&mut table, keys)?;
    let first_kept = table.range(forgotten.clone())?.nth(FORGOTTEN_AT_ONCE);
    let first_kept = first_kept.transpose()?.map(|(key, _)| key.value());
    let forgotten = forgotten.start..first_kept.unwrap_or(forgotten.end);
    Ok(table.retain_in(forgotten, |_, ()| false)?)
}

/// Inserts keys that are in order. Keys between which none is stored are inserted together
/// and fill one page of the file after the other, which costs a small part of looking for the
/// place of each.
fn insert_in_order(
    table: &mut Table<'_, StoredIdKey, ()>,
    keys: Vec<StoredIdKey>,
) -> Result<(), Error> {
    let mut keys = keys.into_iter();
    let mut next = keys.next();
    while let Some(first) = next {
        let mut gap = table.lower_bound_mut(Bound::Included(first))?;
        while let Some(key) = next {
            match gap.insert_before(key, ()) {
                Ok(()) => {}
                Err(CursorError::UnorderedKey) if key == first => {
                    // The key is stored.
                }
                Err(CursorError::UnorderedKey) => break,
                Err(error) => return Err(error.into()),
            }
            next = keys.next();
        }
        gap.close()?;
    }
    Ok(())
}

fn write_counters(
    transaction: &WriteTransaction,
    account: AccountNumber,
    changes: &Changes,
) -> Result<(), Error> {
    let mut series = transaction.open_table(SERIES)?;
    for change in &changes.series {
        let labels = &change.key;
        let key = (
            account,
            labels.event_type.as_ref(),
            labels.source.as_ref(),
            labels.source_country.as_ref(),
        );
        series.insert(key, tables::counter(change.saved, change.latest.as_ref()))?;
    }
    let mut types = transaction.open_table(TYPES)?;
    for change in &changes.types {
        let key = (account, &*change.key);
        types.insert(key, tables::counter(change.saved, change.latest.as_ref()))?;
    }
    Ok(())
}

/// Writes the number of gate timeouts, unless there was none yet.
pub(super) fn write_gate_timeouts(
    transaction: &WriteTransaction,
    account: AccountNumber,
    gate_timeouts: u64,
) -> Result<(), Error> {
    if gate_timeouts == 0 {
        return Ok(());
    }
    let mut numbers = transaction.open_table(NUMBERS)?;
    let key = tables::gate_timeouts_key(account);
    set(&mut numbers, &key, gate_timeouts)
}

/// Adds the new lines of the event log, and removes the written ones.
fn write_lines(
    transaction: &WriteTransaction,
    account: AccountNumber,
    lines: &Lines,
) -> Result<(), Error> {
    let mut table = transaction.open_table(LINES)?;
    for line in &lines.new {
        table.insert(&*tables::line_key(account, line.number), &*line.text)?;
    }
    let first = tables::line_key(account, 0);
    let last = tables::line_key(account, lines.written);
    let is_removing = table.range(&*first..=&*last)?.next().is_some();
    table.retain_in(&*first..=&*last, |_, _| false)?;
    if is_removing {
        let mut numbers = transaction.open_table(NUMBERS)?;
        set(&mut numbers, LINES_REMOVED, 1)?;
    }
    Ok(())
}

/// Removes the lines of the event log up to a number, each with the API key of its account.
pub(super) fn remove_lines(
    file: &OpenFile,
    written: &[(Arc<str>, u64)],
    id: WriteId,
) -> Result<(), Error> {
    let transaction = file.database.begin_write()?;
    for (api_key, number) in written {
        let accounts = transaction.open_table(ACCOUNTS)?;
        let account = accounts.get(&**api_key)?.map(|account| account.value());
        drop(accounts);
        if let Some(account) = account {
            let lines = Lines {
                written: *number,
                ..Lines::default()
            };
            write_lines(&transaction, account, &lines)?;
        }
    }
    write_last_id(&transaction, id)?;
    Ok(transaction.commit()?)
}

fn write_gate(
    transaction: &WriteTransaction,
    gate: &SavedGate,
    now: Timestamp,
) -> Result<(), Error> {
    let mut scrapers = transaction.open_table(SCRAPERS)?;
    let known: BTreeSet<u64> = gate.scrapers.iter().map(|known| known.id.0).collect();
    scrapers.retain(|id, _| known.contains(&id))?;
    for known in &gate.scrapers {
        let last_seen = before(now, known.unseen_for).as_nanosecond();
        let interval = known.interval.map(tables::nanoseconds);
        let scraper = (known.product, known.target, interval, last_seen);
        scrapers.insert(known.id.0, scraper)?;
    }
    let mut numbers = transaction.open_table(NUMBERS)?;
    set(&mut numbers, GATE_BEGUN, u64::from(gate.was_scraped))?;
    let wait_time = tables::nanoseconds(gate.wait_time);
    set(&mut numbers, GATE_WAIT_TIME, wait_time)?;
    let stored_at = u64::try_from(now.as_millisecond()).unwrap_or(0);
    set(&mut numbers, GATE_STORED_AT, stored_at)
}

pub(super) fn write_last_id(transaction: &WriteTransaction, id: WriteId) -> Result<(), Error> {
    let mut numbers = transaction.open_table(NUMBERS)?;
    set(&mut numbers, WRITER, id.writer)?;
    set(&mut numbers, SEQUENCE, id.sequence)
}

pub(super) fn set(
    numbers: &mut Table<'_, &'static str, u64>,
    name: &str,
    value: u64,
) -> Result<(), Error> {
    numbers.insert(name, value)?;
    Ok(())
}

fn before(now: Timestamp, span: Duration) -> Timestamp {
    SignedDuration::try_from(span)
        .ok()
        .and_then(|span| now.checked_sub(span).ok())
        .unwrap_or(Timestamp::MIN)
}
