//! Reads the state file.

use std::time::Duration;

use audit_core::{
    event::Labels,
    gate::{SavedGate, SavedScraper, ScraperId},
    ledger::Ledger,
    outbox::Line,
    window::Remembered,
};
use jiff::Timestamp;
use redb::{
    Database, Error, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata,
};

use super::{
    AccountProgress, SavedAccount,
    file::OpenFile,
    stored_part,
    tables::{
        self, ACCOUNTS, AccountNumber, GATE_BEGUN, GATE_STORED_AT, GATE_WAIT_TIME, IDS, LINES,
        NUMBERS, SCRAPERS, SEQUENCE, SERIES, TYPES, WRITER,
    },
    write_id::WriteId,
};

/// Reads an account; see [`Store::load_account`](super::Store::load_account).
pub(super) fn account(
    file: &OpenFile,
    api_key: &str,
    mut ledger: Ledger,
) -> Result<Option<SavedAccount>, Error> {
    let transaction = file.database.begin_read()?;
    let Some((number, progress)) = progress(&transaction, api_key)? else {
        return Ok(None);
    };
    counters(&transaction, number, &mut ledger)?;
    ledger.restore_gate_timeouts(progress.gate_timeouts);
    Ok(Some(SavedAccount {
        stage: progress.stage,
        window: progress.window,
        ledger,
    }))
}

/// Passes the ids of an account to `take`; see [`Store::load_ids`](super::Store::load_ids).
pub(super) fn ids<T>(
    file: &OpenFile,
    api_key: &str,
    take: impl FnOnce(&mut dyn Iterator<Item = Remembered>) -> T,
) -> Result<T, Error> {
    let transaction = file.database.begin_read()?;
    match progress(&transaction, api_key)? {
        Some((number, progress)) => ids_from(&transaction, number, progress.window.floor, take),
        None => Ok(take(&mut std::iter::empty())),
    }
}

/// Reads how far an account is counted, with its number; `None` if it was never stored.
fn progress(
    transaction: &ReadTransaction,
    api_key: &str,
) -> Result<Option<(AccountNumber, AccountProgress)>, Error> {
    let Some(number) = stored_part::number(transaction, api_key)? else {
        return Ok(None);
    };
    let progress = stored_part::progress(transaction, number)?;
    let progress = progress.ok_or_else(stored_part::without_progress)?;
    Ok(Some((number, progress)))
}

/// Reads the memory of the gate.
pub(super) fn gate(file: &OpenFile, now: Timestamp) -> Result<SavedGate, Error> {
    let transaction = file.database.begin_read()?;
    let stored_at = read_number(&transaction, GATE_STORED_AT)?;
    let stored_at = stored_at.map(|milliseconds| i128::from(milliseconds) * 1_000_000);
    let mut scrapers = Vec::new();
    for entry in transaction.open_table(SCRAPERS)?.iter()? {
        let (id, scraper) = entry?;
        let (product, target, interval, last_seen) = scraper.value();
        scrapers.push(SavedScraper {
            id: ScraperId(id.value()),
            product,
            target,
            interval: interval.map(Duration::from_nanos),
            unseen_for: stored_at.map_or(Duration::ZERO, |at| span(last_seen, at)),
        });
    }
    let begun = read_number(&transaction, GATE_BEGUN)?;
    let wait_time = read_number(&transaction, GATE_WAIT_TIME)?.unwrap_or(0);
    let away = stored_at.map_or(Duration::ZERO, |at| span(at, now.as_nanosecond()));
    Ok(SavedGate {
        was_scraped: begun == Some(1),
        scrapers,
        wait_time: Duration::from_nanos(wait_time),
        away,
        taken: Duration::ZERO,
    })
}

/// Reads lines of the event log; see [`Store::lines`](super::Store::lines).
pub(super) fn lines(
    file: &OpenFile,
    api_key: &str,
    after: u64,
    max_bytes: usize,
) -> Result<Vec<Line>, Error> {
    let transaction = file.database.begin_read()?;
    let Some(account) = stored_part::number(&transaction, api_key)? else {
        return Ok(Vec::new());
    };
    let mut lines = Vec::new();
    let mut bytes = 0;
    let first = tables::line_key(account, after.saturating_add(1));
    let last = tables::line_key(account, u64::MAX);
    for entry in transaction.open_table(LINES)?.range(&*first..=&*last)? {
        let (key, text) = entry?;
        let number = tables::line_number(key.value())?;
        let text = text.value().to_owned();
        bytes += text.len();
        if bytes > max_bytes && !lines.is_empty() {
            break;
        }
        lines.push(Line { number, text });
    }
    Ok(lines)
}

/// Reads the size of all lines of the event log, in bytes.
pub(super) fn line_bytes(file: &OpenFile, api_key: &str) -> Result<u64, Error> {
    let transaction = file.database.begin_read()?;
    let Some(account) = stored_part::number(&transaction, api_key)? else {
        return Ok(0);
    };
    let first = tables::line_key(account, 0);
    let last = tables::line_key(account, u64::MAX);
    let mut bytes = 0;
    for entry in transaction.open_table(LINES)?.range(&*first..=&*last)? {
        bytes += u64::try_from(entry?.1.value().len()).unwrap_or(u64::MAX);
    }
    Ok(bytes)
}

/// Reads the number of the last line of the event log; 0 if there is none.
pub(super) fn last_line(file: &OpenFile, api_key: &str) -> Result<u64, Error> {
    let transaction = file.database.begin_read()?;
    let Some(account) = stored_part::number(&transaction, api_key)? else {
        return Ok(0);
    };
    let ends = first_and_last_line(&transaction, account)?;
    Ok(ends.map_or(0, |(_, last)| last))
}

/// Reads which accounts have lines of the event log, each with its API key and the numbers of
/// the first and of the last line.
pub(super) fn waiting_lines(file: &OpenFile) -> Result<Vec<(String, u64, u64)>, Error> {
    let transaction = file.database.begin_read()?;
    let mut waiting = Vec::new();
    for entry in transaction.open_table(ACCOUNTS)?.iter()? {
        let (api_key, account) = entry?;
        let ends = first_and_last_line(&transaction, account.value())?;
        waiting.extend(ends.map(|(first, last)| (api_key.value().to_owned(), first, last)));
    }
    Ok(waiting)
}

/// Reads the numbers of the first and of the last line of an account; `None` if there is
/// none.
fn first_and_last_line(
    transaction: &ReadTransaction,
    account: AccountNumber,
) -> Result<Option<(u64, u64)>, Error> {
    let (first, last) = (
        tables::line_key(account, 0),
        tables::line_key(account, u64::MAX),
    );
    let table = transaction.open_table(LINES)?;
    let mut lines = table.range(&*first..=&*last)?;
    let Some(first) = lines.next().transpose()? else {
        return Ok(None);
    };
    let first = tables::line_number(first.0.value())?;
    let last = lines.next_back().transpose()?;
    let last = last.map_or(Ok(first), |(key, _)| tables::line_number(key.value()))?;
    Ok(Some((first, last)))
}

/// Reads the id of the last write.
pub(super) fn last_write_id(database: &Database) -> Result<WriteId, Error> {
    let transaction = database.begin_read()?;
    Ok(WriteId {
        writer: read_number(&transaction, WRITER)?.unwrap_or(0),
        sequence: read_number(&transaction, SEQUENCE)?.unwrap_or(0),
    })
}

pub(super) fn read_number(transaction: &ReadTransaction, name: &str) -> Result<Option<u64>, Error> {
    let value = transaction.open_table(NUMBERS)?.get(name)?;
    Ok(value.map(|value| value.value()))
}

/// Returns the time between two times in nanoseconds since 1970; zero if the clock was set
/// back meanwhile.
fn span(from: i128, to: i128) -> Duration {
    let span = to.saturating_sub(from).max(0);
    Duration::from_nanos(u64::try_from(span).unwrap_or(u64::MAX))
}

/// Passes the ids to `take` one by one, since there may be a million. An error ends the
/// iterator early, and is then returned.
fn ids_from<T>(
    transaction: &ReadTransaction,
    account: AccountNumber,
    floor: Timestamp,
    take: impl FnOnce(&mut dyn Iterator<Item = Remembered>) -> T,
) -> Result<T, Error> {
    let remembered = tables::ids_from(account, floor);
    let mut failed = None;
    let table = transaction.open_table(IDS)?;
    let mut ids = table.range(remembered)?.map_while(|entry| {
        let id = entry
            .map_err(Error::from)
            .and_then(|(key, _)| tables::remembered(key.value()));
        id.map_err(|error| failed = Some(error)).ok()
    });
    let taken = take(&mut ids);
    drop(ids);
    failed.map_or(Ok(taken), Err)
}

/// Reads the counters into `ledger` one by one, since there may be a hundred thousand.
fn counters(
    transaction: &ReadTransaction,
    account: AccountNumber,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let series = transaction.open_table(SERIES)?;
    let types = transaction.open_table(TYPES)?;
    // Reserving memory for all counters in the ledger of each account would take seconds.
    let accounts = transaction.open_table(ACCOUNTS)?.len()?.max(1);
    let share = |count: u64| usize::try_from(count / accounts).unwrap_or(0);
    ledger.reserve(share(series.len()?), share(types.len()?));
    for entry in series.range((account, "", "", "")..(account + 1, "", "", ""))? {
        let (key, counter) = entry?;
        let (_, event_type, source, source_country) = key.value();
        let labels = Labels {
            event_type: event_type.into(),
            source: source.into(),
            source_country: source_country.into(),
        };
        let (saved, latest) = tables::saved(counter.value())?;
        ledger.restore_series(&labels, saved, latest);
    }
    for entry in types.range((account, "")..(account + 1, ""))? {
        let (key, counter) = entry?;
        let (_, name) = key.value();
        let (saved, latest) = tables::saved(counter.value())?;
        ledger.restore_type(name, saved, latest);
    }
    Ok(())
}
