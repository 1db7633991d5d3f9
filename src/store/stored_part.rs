//! The parts of a stored account, one by one, as they leave a state and enter another.

use std::{borrow::Cow, ops::RangeInclusive, time::Duration};

use audit_core::{
    account::Stage,
    event::Labels,
    gate::ScraperId,
    ledger::{Exemplar, SavedCounter},
    outbox::Line,
    window::{Remembered, SavedWindow},
};
use jiff::Timestamp;
use redb::{Error, ReadTransaction, ReadableTable};

use super::{
    read,
    tables::{
        self, ACCOUNTS, AccountNumber, GATE_BEGUN, GATE_STORED_AT, GATE_WAIT_TIME, IDS, LINES,
        PROGRESS, SCRAPERS, SERIES, TYPES,
    },
};

/// A part of a stored account. The parts of an account have the order of the variants;
/// those of one variant have the order of their keys, and no key is there twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredPart {
    /// How far the account is read. There is one.
    Progress(AccountProgress),
    /// The memory of the gate, which all accounts of a state share. There is one.
    Gate(GateMemory),
    /// The id of a counted event; the key is the time in whole seconds, then the id.
    Id(Remembered),
    /// A counter of `nexmo_audit_events_total`; the key are the labels.
    Series(Labels<'static>, SavedCounter, Option<Exemplar>),
    /// A counter of `nexmo_audit_events_by_type_total`; the key is the event type.
    Type(Cow<'static, str>, SavedCounter, Option<Exemplar>),
    /// A line of the event log that is not written yet; the key is its number.
    Line(Line),
}

/// How far an account is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountProgress {
    /// The progress since the first start.
    pub stage: Stage,
    /// The window without its ids.
    pub window: SavedWindow,
    /// See [`Changes::gate_timeouts`](audit_core::ledger::Changes::gate_timeouts).
    pub gate_timeouts: u64,
}

/// The memory of the gate, with times of the wall clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateMemory {
    /// `true` if a server has ever scraped.
    pub was_scraped: bool,
    /// The reading of the clock by which waits are bounded.
    pub wait_time: Duration,
    /// The time of that reading; `None` if there was none.
    pub stored_at: Option<Timestamp>,
    /// The scrapers that the gate waits for, in the order of their ids.
    pub scrapers: Vec<KnownScraper>,
}

/// A scraper that the gate waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownScraper {
    /// The scraper.
    pub id: ScraperId,
    /// A hash of the product of the scraper.
    pub product: u64,
    /// A hash of the name by which the scraper calls the exporter; 0 if it is unknown.
    pub target: u64,
    /// The interval of the scraper; `None` if it was not known yet.
    pub interval: Option<Duration>,
    /// The time of the last scrape.
    pub last_seen: Timestamp,
}

impl GateMemory {
    /// Returns `true` if no server has ever scraped.
    pub(super) fn is_unused(&self) -> bool {
        !self.was_scraped && self.scrapers.is_empty()
    }
}

/// The entries of one table that belong to one account, in the order of their keys.
pub(super) type Entries<K, V> = Box<dyn Iterator<Item = Result<(K, V), Error>>>;

/// The stored part of a counter.
pub(super) type Counter = (SavedCounter, Option<Exemplar>);

pub(super) type Parts = Box<dyn Iterator<Item = Result<StoredPart, Error>>>;

/// Returns the number of an account; `None` if the account was never stored.
pub(super) fn number(
    transaction: &ReadTransaction,
    api_key: &str,
) -> Result<Option<AccountNumber>, Error> {
    let number = transaction.open_table(ACCOUNTS)?.get(api_key)?;
    Ok(number.map(|number| number.value()))
}

/// Returns all parts of an account. They are read while the iterator advances.
pub(super) fn all(transaction: &ReadTransaction, account: AccountNumber) -> Result<Parts, Error> {
    let progress = progress(transaction, account)?.ok_or_else(without_progress)?;
    let gate = gate(transaction)?;
    let remembered = tables::ids_from(account, progress.window.floor);
    let first = [StoredPart::Progress(progress), StoredPart::Gate(gate)].map(Ok);
    let ids = ids_within(transaction, remembered)?
        .map(|id| Ok(StoredPart::Id(tables::remembered(id?.0)?)));
    let series = series(transaction, account)?
        .map(|entry| entry.map(|(key, (saved, latest))| StoredPart::Series(key, saved, latest)));
    let types = types(transaction, account)?.map(|entry| {
        entry.map(|(key, (saved, latest))| StoredPart::Type(key.into(), saved, latest))
    });
    let lines = lines(transaction, account)?
        .map(|entry| entry.map(|(number, text)| StoredPart::Line(Line { number, text })));
    let counters = series.chain(types);
    let parts = first.into_iter().chain(ids).chain(counters).chain(lines);
    Ok(Box::new(parts))
}

/// Returns the error of an account that was stored without its progress.
pub(super) fn without_progress() -> Error {
    Error::Corrupted("an account has no progress".to_owned())
}

pub(super) fn progress(
    transaction: &ReadTransaction,
    account: AccountNumber,
) -> Result<Option<AccountProgress>, Error> {
    let progress = transaction.open_table(PROGRESS)?.get(account)?;
    let Some(progress) = progress.map(|progress| progress.value()) else {
        return Ok(None);
    };
    let (stage, window) = tables::stage_and_window(progress)?;
    let gate_timeouts = read::read_number(transaction, &tables::gate_timeouts_key(account))?;
    Ok(Some(AccountProgress {
        stage,
        window,
        gate_timeouts: gate_timeouts.unwrap_or(0),
    }))
}

pub(super) fn ids(
    transaction: &ReadTransaction,
    account: AccountNumber,
) -> Result<Entries<tables::StoredIdKey, ()>, Error> {
    ids_within(
        transaction,
        (account, i64::MIN, 0)..=(account, i64::MAX, u128::MAX),
    )
}

fn ids_within(
    transaction: &ReadTransaction,
    keys: RangeInclusive<tables::StoredIdKey>,
) -> Result<Entries<tables::StoredIdKey, ()>, Error> {
    let entries = transaction.open_table(IDS)?.range(keys)?;
    Ok(Box::new(entries.map(|entry| Ok((entry?.0.value(), ())))))
}

pub(super) fn series(
    transaction: &ReadTransaction,
    account: AccountNumber,
) -> Result<Entries<Labels<'static>, Counter>, Error> {
    let entries = transaction.open_table(SERIES)?;
    let entries = entries.range((account, "", "", "")..)?.map(move |entry| {
        let (key, counter) = entry?;
        let (of, event_type, source, source_country) = key.value();
        if of != account {
            return Ok(None);
        }
        let own = |value: &str| Cow::Owned(value.to_owned());
        let labels = Labels {
            event_type: own(event_type),
            source: own(source),
            source_country: own(source_country),
        };
        Ok(Some((labels, tables::saved(counter.value())?)))
    });
    Ok(Box::new(entries.map_while(Result::transpose)))
}

pub(super) fn types(
    transaction: &ReadTransaction,
    account: AccountNumber,
) -> Result<Entries<String, Counter>, Error> {
    let entries = transaction.open_table(TYPES)?;
    let entries = entries.range((account, "")..)?.map(move |entry| {
        let (key, counter) = entry?;
        let (of, name) = key.value();
        if of != account {
            return Ok(None);
        }
        Ok(Some((name.to_owned(), tables::saved(counter.value())?)))
    });
    Ok(Box::new(entries.map_while(Result::transpose)))
}

pub(super) fn lines(
    transaction: &ReadTransaction,
    account: AccountNumber,
) -> Result<Entries<u64, String>, Error> {
    let first = tables::line_key(account, 0);
    let last = tables::line_key(account, u64::MAX);
    let entries = transaction.open_table(LINES)?.range(&*first..=&*last)?;
    Ok(Box::new(entries.map(|entry| {
        let (key, text) = entry?;
        Ok((tables::line_number(key.value())?, text.value().to_owned()))
    })))
}

pub(super) fn gate(transaction: &ReadTransaction) -> Result<GateMemory, Error> {
    let mut scrapers = Vec::new();
    for entry in transaction.open_table(SCRAPERS)?.iter()? {
        let (id, scraper) = entry?;
        let (product, target, interval, last_seen) = scraper.value();
        scrapers.push(KnownScraper {
            id: ScraperId(id.value()),
            product,
            target,
            interval: interval.map(Duration::from_nanos),
            last_seen: tables::time(last_seen)?,
        });
    }
    let number = |name| read::read_number(transaction, name);
    let stored_at = number(GATE_STORED_AT)?;
    Ok(GateMemory {
        was_scraped: number(GATE_BEGUN)? == Some(1),
        wait_time: Duration::from_nanos(number(GATE_WAIT_TIME)?.unwrap_or(0)),
        stored_at: stored_at.map(tables::time_of_milliseconds).transpose()?,
        scrapers,
    })
}
