//! The first format, which knew neither when counting started nor which event a
//! counter counted last. Must never change: there are files of it.

use redb::{Error, ReadableTable, TableDefinition, WriteTransaction};

use super::tables::{Account, PROGRESS, SERIES, SeriesKey, TYPES, TypeKey};

type Counter = (u64, u64, bool);
type Progress = (i128, bool, i128, Option<i128>, Option<i128>);

const OLD_PROGRESS: TableDefinition<'_, Account, Progress> = TableDefinition::new("progress");
const OLD_SERIES: TableDefinition<'_, SeriesKey<'static>, Counter> = TableDefinition::new("series");
const OLD_TYPES: TableDefinition<'_, TypeKey<'static>, Counter> = TableDefinition::new("types");

/// Makes the second format of it. Tables whose values change are moved aside
/// first, since a name stands for one kind of value.
pub(super) fn upgrade(transaction: &WriteTransaction) -> Result<(), Error> {
    progress(transaction)?;
    series(transaction)?;
    types(transaction)
}

/// Where the start is not known it was when counting began, but for those who
/// asked for a history.
fn progress(transaction: &WriteTransaction) -> Result<(), Error> {
    const ASIDE: TableDefinition<'_, Account, Progress> = TableDefinition::new("progress 1");
    transaction.rename_table(OLD_PROGRESS, ASIDE)?;
    let mut new = transaction.open_table(PROGRESS)?;
    for entry in transaction.open_table(ASIDE)?.iter()? {
        let (account, progress) = entry?;
        let (began, caught_up, floor, watermark, newest) = progress.value();
        new.insert(
            account.value(),
            (began, began, caught_up, floor, watermark, newest),
        )?;
    }
    drop(new);
    transaction.delete_table(ASIDE)?;
    Ok(())
}

fn series(transaction: &WriteTransaction) -> Result<(), Error> {
    const ASIDE: TableDefinition<'_, SeriesKey<'static>, Counter> =
        TableDefinition::new("series 1");
    transaction.rename_table(OLD_SERIES, ASIDE)?;
    let mut new = transaction.open_table(SERIES)?;
    for entry in transaction.open_table(ASIDE)?.iter()? {
        let (key, counter) = entry?;
        let (total, published, seen) = counter.value();
        new.insert(key.value(), (total, published, seen, None))?;
    }
    drop(new);
    transaction.delete_table(ASIDE)?;
    Ok(())
}

fn types(transaction: &WriteTransaction) -> Result<(), Error> {
    const ASIDE: TableDefinition<'_, TypeKey<'static>, Counter> = TableDefinition::new("types 1");
    transaction.rename_table(OLD_TYPES, ASIDE)?;
    let mut new = transaction.open_table(TYPES)?;
    for entry in transaction.open_table(ASIDE)?.iter()? {
        let (key, counter) = entry?;
        let (total, published, seen) = counter.value();
        new.insert(key.value(), (total, published, seen, None))?;
    }
    drop(new);
    transaction.delete_table(ASIDE)?;
    Ok(())
}
