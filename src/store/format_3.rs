//! The third format. Its counters did not say since when a count waits, and its scrapers
//! were known by the version of their agent. The second format had the same counters. This
//! code must never change, since there are files of these formats.

use redb::{Error, Key, ReadableTable, TableDefinition, WriteTransaction};

use super::tables::{SCRAPERS, SERIES, StoredCounter, TYPES};

/// Account, event type, source, and country of the source.
pub(super) type Format3SeriesKey<'a> = (u32, &'a str, &'a str, &'a str);
/// Account and event type.
pub(super) type Format3TypeKey<'a> = (u32, &'a str);
type Format3Exemplar<'a> = (i64, u128, Option<&'a str>);
/// The total, the published value, `true` if the first value was seen by every scraper,
/// and the exemplar.
pub(super) type Format3Counter<'a> = (u64, u64, bool, Option<Format3Exemplar<'a>>);
type Format3SeriesTable<'a> =
    TableDefinition<'a, Format3SeriesKey<'static>, Format3Counter<'static>>;
type Format3TypesTable<'a> = TableDefinition<'a, Format3TypeKey<'static>, Format3Counter<'static>>;

/// The series of the second and the third format.
pub(super) const FORMAT_3_SERIES: Format3SeriesTable<'_> = TableDefinition::new("series");
/// The counters by type of the second and the third format.
pub(super) const FORMAT_3_TYPES: Format3TypesTable<'_> = TableDefinition::new("types");
const SERIES_ASIDE: Format3SeriesTable<'_> = TableDefinition::new("series 3");
const TYPES_ASIDE: Format3TypesTable<'_> = TableDefinition::new("types 3");
const OLD_SCRAPERS: TableDefinition<'_, u64, (u64, i128)> = TableDefinition::new("scrapers");

/// Upgrades the third format to the fourth. The stored scrapers are dropped: each of them
/// has another id now, and the gate would wait in vain for one that has the old id.
pub(super) fn upgrade(transaction: &WriteTransaction) -> Result<(), Error> {
    counters(transaction, FORMAT_3_SERIES, SERIES_ASIDE, SERIES)?;
    counters(transaction, FORMAT_3_TYPES, TYPES_ASIDE, TYPES)?;
    transaction.delete_table(OLD_SCRAPERS)?;
    transaction.open_table(SCRAPERS)?;
    Ok(())
}

fn counters<K: Key + 'static>(
    transaction: &WriteTransaction,
    old: TableDefinition<'_, K, Format3Counter<'static>>,
    aside: TableDefinition<'_, K, Format3Counter<'static>>,
    new: TableDefinition<'_, K, StoredCounter<'static>>,
) -> Result<(), Error> {
    // Renamed first, since a table has one type of value.
    transaction.rename_table(old, aside)?;
    let mut new = transaction.open_table(new)?;
    for entry in transaction.open_table(aside)?.iter()? {
        let (key, counter) = entry?;
        let (total, published, seen, exemplar) = counter.value();
        let counter = (total, published, u8::from(seen), None, exemplar);
        new.insert(key.value(), counter)?;
    }
    drop(new);
    transaction.delete_table(aside)?;
    Ok(())
}
