//! How the state lies in the file: the tables, and values as they are stored.
//!
//! Accounts are known by a small number, which every key of theirs begins with,
//! so that one file holds many. Ids are ordered by time: new ones append, and
//! forgetting takes away one range.

use std::{ops::Range, time::Duration};

use audit_core::{
    account::Stage,
    event::EventId,
    ledger::{Exemplar, Saved},
    window::{Remembered, SavedWindow},
};
use jiff::Timestamp;
use redb::{Error, TableDefinition};

/// The number of an account.
pub(super) type AccountNumber = u32;
/// AccountNumber, seconds since 1970, bits of the id.
pub(super) type StoredIdKey = (AccountNumber, i64, u128);
/// AccountNumber, event type, source, country of the source.
pub(super) type StoredSeriesKey<'a> = (AccountNumber, &'a str, &'a str, &'a str);
/// AccountNumber, event type.
pub(super) type StoredTypeKey<'a> = (AccountNumber, &'a str);
/// Total, published, seen, and the newest event counted.
pub(super) type StoredCounter<'a> = (u64, u64, bool, Option<StoredExemplar<'a>>);
/// When it was created, in milliseconds since 1970; the bits of its id, or 0 and the
/// id as the API writes it.
pub(super) type StoredExemplar<'a> = (i64, u128, Option<&'a str>);
/// Start, began, caught up, floor, watermark, newest; times in nanoseconds since
/// 1970.
pub(super) type StoredProgress = (i128, i128, bool, i128, Option<i128>, Option<i128>);
/// Interval, and when it was last seen; in nanoseconds.
pub(super) type StoredScraper = (u64, i128);

/// The number of every API key.
pub(super) const ACCOUNTS: TableDefinition<'_, &str, AccountNumber> =
    TableDefinition::new("accounts");
/// How far every account is.
pub(super) const PROGRESS: TableDefinition<'_, AccountNumber, StoredProgress> =
    TableDefinition::new("progress");
/// The ids that are remembered.
pub(super) const IDS: TableDefinition<'_, StoredIdKey, ()> = TableDefinition::new("ids");
/// The counters of `nexmo_audit_events_total`.
pub(super) const SERIES: TableDefinition<'_, StoredSeriesKey<'static>, StoredCounter<'static>> =
    TableDefinition::new("series");
/// The counters of `nexmo_audit_events_by_type_total`.
pub(super) const TYPES: TableDefinition<'_, StoredTypeKey<'static>, StoredCounter<'static>> =
    TableDefinition::new("types");
/// Lines of the event log that are not written yet. Both are text, as in the table
/// `about`: each kind of table is 60 kB of program.
pub(super) const LINES: TableDefinition<'_, &str, &str> = TableDefinition::new("lines");
/// Who scrapes.
pub(super) const SCRAPERS: TableDefinition<'_, u64, StoredScraper> =
    TableDefinition::new("scrapers");
/// Single numbers, by name.
pub(super) const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// In [`NUMBERS`]: which process made the last commit.
pub(super) const WRITER: &str = "writer";
/// In [`NUMBERS`]: how many commits there were.
pub(super) const SEQUENCE: &str = "sequence";
/// In [`NUMBERS`]: whether anyone ever scraped.
pub(super) const GATE_BEGUN: &str = "gate begun";

const NANOSECONDS: i128 = 1_000_000_000;

/// The key of an id. Times are kept to the second: an id is forgotten by it, and
/// nothing else asks.
pub(super) fn id_key(account: AccountNumber, remembered: &Remembered) -> StoredIdKey {
    (
        account,
        whole_seconds(remembered.time),
        remembered.id.to_bits(),
    )
}

pub(super) fn remembered((_, seconds, bits): StoredIdKey) -> Result<Remembered, Error> {
    Ok(Remembered {
        time: Timestamp::from_second(seconds).map_err(out_of_range)?,
        id: EventId::from_bits(bits),
    })
}

/// Keys of the ids of `account` from before the second of `floor`.
pub(super) fn ids_before(account: AccountNumber, floor: Timestamp) -> Range<StoredIdKey> {
    (account, i64::MIN, 0)..(account, whole_seconds(floor), 0)
}

/// AccountNumber and number of a line, so that the order of the keys is that of the numbers.
pub(super) fn line_key(account: AccountNumber, number: u64) -> String {
    format!("{account:08x}.{number:016x}")
}

/// The number of a line.
pub(super) fn line_number(key: &str) -> Result<u64, Error> {
    let number = key.split_once('.').map(|(_, number)| number);
    let number = number.and_then(|number| u64::from_str_radix(number, 16).ok());
    number.ok_or_else(|| Error::Corrupted("a line without a number".to_owned()))
}

/// Rounded down, also before 1970.
fn whole_seconds(time: Timestamp) -> i64 {
    let seconds = time.as_nanosecond().div_euclid(NANOSECONDS);
    i64::try_from(seconds).unwrap_or(i64::MIN)
}

pub(super) fn counter(saved: Saved, latest: Option<&Exemplar>) -> StoredCounter<'_> {
    let latest = latest.map(|latest| {
        let (id, text) = latest.parts();
        (latest.created_at(), id.map_or(0, EventId::to_bits), text)
    });
    (saved.total, saved.published, saved.seen, latest)
}

pub(super) fn saved(counter: StoredCounter<'_>) -> Result<(Saved, Option<Exemplar>), Error> {
    let (total, published, seen, latest) = counter;
    if published > total {
        let said = format!("a counter shows {published} of {total}");
        return Err(Error::Corrupted(said));
    }
    let saved = Saved {
        total,
        published,
        seen,
    };
    let exemplar = |(created_at, bits, text)| -> Result<_, Error> {
        let created_at = Timestamp::from_millisecond(created_at).map_err(out_of_range)?;
        Ok(Exemplar::new(EventId::from_bits(bits), text, created_at))
    };
    Ok((saved, latest.map(exemplar).transpose()?.flatten()))
}

pub(super) fn progress(stage: Stage, window: SavedWindow) -> StoredProgress {
    (
        stage.start.as_nanosecond(),
        stage.began.as_nanosecond(),
        stage.caught_up,
        window.floor.as_nanosecond(),
        window.watermark.map(Timestamp::as_nanosecond),
        window.newest.map(Timestamp::as_nanosecond),
    )
}

pub(super) fn stage_and_window(progress: StoredProgress) -> Result<(Stage, SavedWindow), Error> {
    let (start, began, caught_up, floor, watermark, newest) = progress;
    let stage = Stage {
        start: time(start)?,
        began: time(began)?,
        caught_up,
    };
    let window = SavedWindow {
        floor: time(floor)?,
        watermark: watermark.map(time).transpose()?,
        newest: newest.map(time).transpose()?,
    };
    Ok((stage, window))
}

pub(super) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

fn time(nanoseconds: i128) -> Result<Timestamp, Error> {
    Timestamp::from_nanosecond(nanoseconds).map_err(out_of_range)
}

#[allow(clippy::needless_pass_by_value)] // the signature that map_err wants
fn out_of_range(error: jiff::Error) -> Error {
    Error::Corrupted(error.to_string())
}
