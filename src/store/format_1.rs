//! The first format. It had neither the start of counting nor exemplars. This code must
//! never change, since there are files of this format.

use redb::{Error, Key, ReadableTable, TableDefinition, WriteTransaction};

use super::{
    format_3::{FORMAT_3_SERIES, FORMAT_3_TYPES, Format3Counter, Format3SeriesKey, Format3TypeKey},
    tables::{AccountNumber, PROGRESS},
};

type Format1Counter = (u64, u64, bool);
type Format1Progress = (i128, bool, i128, Option<i128>, Option<i128>);
type Format1ProgressTable<'a> = TableDefinition<'a, AccountNumber, Format1Progress>;
type Format1SeriesTable<'a> = TableDefinition<'a, Format3SeriesKey<'static>, Format1Counter>;
type Format1TypesTable<'a> = TableDefinition<'a, Format3TypeKey<'static>, Format1Counter>;

const OLD_PROGRESS: Format1ProgressTable<'_> = TableDefinition::new("progress");
const PROGRESS_ASIDE: Format1ProgressTable<'_> = TableDefinition::new("progress 1");
const OLD_SERIES: Format1SeriesTable<'_> = TableDefinition::new("series");
const SERIES_ASIDE: Format1SeriesTable<'_> = TableDefinition::new("series 1");
const OLD_TYPES: Format1TypesTable<'_> = TableDefinition::new("types");
const TYPES_ASIDE: Format1TypesTable<'_> = TableDefinition::new("types 1");

/// Upgrades the first format to the second. Tables whose values change their type are
/// renamed first, since a table has one type of value.
pub(super) fn upgrade(transaction: &WriteTransaction) -> Result<(), Error> {
    progress(transaction)?;
    counters(transaction, OLD_SERIES, SERIES_ASIDE, FORMAT_3_SERIES)?;
    counters(transaction, OLD_TYPES, TYPES_ASIDE, FORMAT_3_TYPES)
}

/// Sets the unknown start to the time when counting began. That is wrong only for
/// accounts that were counted from an earlier time on.
fn progress(transaction: &WriteTransaction) -> Result<(), Error> {
    transaction.rename_table(OLD_PROGRESS, PROGRESS_ASIDE)?;
    let mut new = transaction.open_table(PROGRESS)?;
    for entry in transaction.open_table(PROGRESS_ASIDE)?.iter()? {
        let (account, progress) = entry?;
        let (began, caught_up, floor, watermark, newest) = progress.value();
        new.insert(
            account.value(),
            (began, began, caught_up, floor, watermark, newest),
        )?;
    }
    drop(new);
    transaction.delete_table(PROGRESS_ASIDE)?;
    Ok(())
}

fn counters<K: Key + 'static>(
    transaction: &WriteTransaction,
    old: TableDefinition<'_, K, Format1Counter>,
    aside: TableDefinition<'_, K, Format1Counter>,
    new: TableDefinition<'_, K, Format3Counter<'static>>,
) -> Result<(), Error> {
    transaction.rename_table(old, aside)?;
    let mut new = transaction.open_table(new)?;
    for entry in transaction.open_table(aside)?.iter()? {
        let (key, counter) = entry?;
        let (total, published, seen) = counter.value();
        new.insert(key.value(), (total, published, seen, None))?;
    }
    drop(new);
    transaction.delete_table(aside)?;
    Ok(())
}
