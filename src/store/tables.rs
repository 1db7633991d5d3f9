//! The tables of the state file, and the forms in which values are stored.
//!
//! Each account has a small number, and all keys of the account begin with it. Ids
//! are ordered by time, so that new ids are appended and old ids are removed as one
//! range.

use std::{
    ops::{Range, RangeInclusive},
    time::Duration,
};

use audit_core::{
    account::Stage,
    event::EventId,
    ledger::{Exemplar, FirstValue, SavedCounter},
    window::{Remembered, SavedWindow},
};
use jiff::Timestamp;
use redb::{Error, TableDefinition};

/// The number of an account.
pub(super) type AccountNumber = u32;
/// Account, seconds since 1970, and the bits of the id.
pub(super) type StoredIdKey = (AccountNumber, i64, u128);
/// Account, event type, source, and country of the source.
pub(super) type StoredSeriesKey<'a> = (AccountNumber, &'a str, &'a str, &'a str);
/// Account and event type.
pub(super) type StoredTypeKey<'a> = (AccountNumber, &'a str);
/// The total, the published value, how far the first value was seen (0 for not, 1 for seen,
/// 2 for overruled), since when a count waits, and the exemplar. The time is a reading of the
/// gate's clock of waits, in nanoseconds.
pub(super) type StoredCounter<'a> = (u64, u64, u8, Option<u64>, Option<StoredExemplar<'a>>);
/// The time of creation of the event, in milliseconds since 1970; and the bits of its id,
/// or 0 and the id as the API writes it.
pub(super) type StoredExemplar<'a> = (i64, u128, Option<&'a str>);
/// The fields of [`Stage`] (start, began, caught up) and of [`SavedWindow`] (floor,
/// watermark, newest). Times are in nanoseconds since 1970.
pub(super) type StoredProgress = (i128, i128, bool, i128, Option<i128>, Option<i128>);
/// The product, the target, the scrape interval if it is known, and the time when the
/// scraper was last seen; both in nanoseconds.
pub(super) type StoredScraper = (u64, u64, Option<u64>, i128);

/// The number of each account, by API key.
pub(super) const ACCOUNTS: TableDefinition<'_, &str, AccountNumber> =
    TableDefinition::new("accounts");
/// The progress of each account.
pub(super) const PROGRESS: TableDefinition<'_, AccountNumber, StoredProgress> =
    TableDefinition::new("progress");
/// The ids of counted events, until they are forgotten.
pub(super) const IDS: TableDefinition<'_, StoredIdKey, ()> = TableDefinition::new("ids");
/// The counters of `nexmo_audit_events_total`.
pub(super) const SERIES: TableDefinition<'_, StoredSeriesKey<'static>, StoredCounter<'static>> =
    TableDefinition::new("series");
/// The counters of `nexmo_audit_events_by_type_total`.
pub(super) const TYPES: TableDefinition<'_, StoredTypeKey<'static>, StoredCounter<'static>> =
    TableDefinition::new("types");
/// The lines of the event log that are not written yet. Key and value are text, as
/// in the table `about`: each combination of types adds 60 kB to the program.
pub(super) const LINES: TableDefinition<'_, &str, &str> = TableDefinition::new("lines");
/// The scrapers that the gate knows, by id.
pub(super) const SCRAPERS: TableDefinition<'_, u64, StoredScraper> =
    TableDefinition::new("scrapers");
/// Single numbers, by name.
pub(super) const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

/// In [`NUMBERS`]: the process of the last write; see `WriteId`.
pub(super) const WRITER: &str = "writer";
/// In [`NUMBERS`]: how many writes there were.
pub(super) const SEQUENCE: &str = "sequence";
/// In [`NUMBERS`]: 1 if a server ever scraped.
pub(super) const GATE_BEGUN: &str = "gate begun";
/// In [`NUMBERS`]: the reading of the gate's clock of waits, in nanoseconds.
pub(super) const GATE_WAIT_TIME: &str = "gate wait time";
/// In [`NUMBERS`]: the time of that reading, in milliseconds since 1970.
pub(super) const GATE_STORED_AT: &str = "gate stored at";

/// In [`NUMBERS`]: 1 if lines of the event log were removed, and their pages may still hold
/// them.
pub(super) const LINES_REMOVED: &str = "lines removed";

const NANOSECONDS: i128 = 1_000_000_000;

/// Returns the key of an id. The time is rounded down to a second: it only decides
/// when the id is forgotten.
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

/// Returns the keys of all ids of `account` that are older than the second of `floor`.
pub(super) fn ids_before(account: AccountNumber, floor: Timestamp) -> Range<StoredIdKey> {
    (account, i64::MIN, 0)..(account, whole_seconds(floor), 0)
}

/// Returns the keys of all other ids of `account`. Only these are remembered.
pub(super) fn ids_from(account: AccountNumber, floor: Timestamp) -> RangeInclusive<StoredIdKey> {
    ids_before(account, floor).end..=(account, i64::MAX, u128::MAX)
}

/// Returns the key in [`NUMBERS`] of the account's gate timeouts.
pub(super) fn gate_timeouts_key(account: AccountNumber) -> String {
    format!("gate timeouts {account:08x}")
}

/// Returns the key of a line. Keys have the order of the numbers.
pub(super) fn line_key(account: AccountNumber, number: u64) -> String {
    format!("{account:08x}.{number:016x}")
}

/// Returns the number of the line that has this key.
pub(super) fn line_number(key: &str) -> Result<u64, Error> {
    let number = key.split_once('.').map(|(_, number)| number);
    let number = number.and_then(|number| u64::from_str_radix(number, 16).ok());
    number.ok_or_else(|| Error::Corrupted("a line of the event log has no number".to_owned()))
}

/// Rounds down, also before 1970.
fn whole_seconds(time: Timestamp) -> i64 {
    let seconds = time.as_nanosecond().div_euclid(NANOSECONDS);
    i64::try_from(seconds).unwrap_or(i64::MIN)
}

pub(super) fn counter(saved: SavedCounter, latest: Option<&Exemplar>) -> StoredCounter<'_> {
    let latest = latest.map(|latest| {
        let (id, text) = latest.parts();
        (latest.created_at(), id.map_or(0, EventId::to_bits), text)
    });
    let waits_since = saved.waits_since.map(nanoseconds);
    let first_value = match saved.first_value {
        FirstValue::Unseen => 0,
        FirstValue::Seen => 1,
        FirstValue::Overruled => 2,
    };
    (
        saved.total,
        saved.published,
        first_value,
        waits_since,
        latest,
    )
}

pub(super) fn saved(counter: StoredCounter<'_>) -> Result<(SavedCounter, Option<Exemplar>), Error> {
    let (total, published, first_value, waits_since, latest) = counter;
    if published > total {
        let detail = format!("a counter of {total} events has published {published}");
        return Err(Error::Corrupted(detail));
    }
    let first_value = match first_value {
        0 => FirstValue::Unseen,
        1 => FirstValue::Seen,
        2 => FirstValue::Overruled,
        code => {
            let detail = format!("the first value of a counter has the unknown code {code}");
            return Err(Error::Corrupted(detail));
        }
    };
    let saved = SavedCounter {
        total,
        published,
        first_value,
        waits_since: waits_since.map(Duration::from_nanos),
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

pub(super) fn time(nanoseconds: i128) -> Result<Timestamp, Error> {
    Timestamp::from_nanosecond(nanoseconds).map_err(out_of_range)
}

pub(super) fn time_of_milliseconds(milliseconds: u64) -> Result<Timestamp, Error> {
    time(i128::from(milliseconds) * 1_000_000)
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes it so")]
fn out_of_range(error: jiff::Error) -> Error {
    Error::Corrupted(error.to_string())
}
