//! The format of the file, and the upgrade from older formats.
//!
//! The table `about` is the same in all formats, also in future ones, so that each
//! version can tell the format of any file and the version that wrote it.

use redb::{Database, Error, ReadableDatabase, TableDefinition, TableError, WriteTransaction};

use super::{
    file, format_1, format_3,
    tables::{ACCOUNTS, IDS, LINES, NUMBERS, PROGRESS, SCRAPERS, SERIES, TYPES},
};

const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
const PROGRAM: &str = "program";
const FORMAT: &str = "format";
const WRITTEN_BY: &str = "written by";

/// Upgrades a format to the next.
type UpgradeStep = fn(&WriteTransaction) -> Result<(), Error>;

/// `STEPS[n]` upgrades format n + 1 to format n + 2. A change of `tables` needs a new
/// step here, and a file of the old format among the tests. A step never changes and is
/// never removed.
const STEPS: &[UpgradeStep] = &[format_1::upgrade, add_lines, format_3::upgrade];

/// The format that a file says it has.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileFormat {
    /// A format that this version knows; [`upgrade`] makes it the current one.
    Known(u32),
    /// A format that only a later version of this program knows.
    Newer {
        format: u32,
        known: u32,
        written_by: String,
    },
}

/// Creates all tables of the current format in an empty database.
pub(super) fn initialize(database: &Database) -> Result<(), Error> {
    let transaction = file::begin_write(database)?;
    transaction.open_table(ACCOUNTS)?;
    transaction.open_table(PROGRESS)?;
    transaction.open_table(IDS)?;
    transaction.open_table(SERIES)?;
    transaction.open_table(TYPES)?;
    transaction.open_table(LINES)?;
    transaction.open_table(SCRAPERS)?;
    transaction.open_table(NUMBERS)?;
    stamp(&transaction, newest(STEPS))?;
    Ok(transaction.commit()?)
}

/// Reads the format of a database. Fails if another program made the database.
pub(super) fn read(database: &Database) -> Result<FileFormat, Error> {
    read_knowing(database, STEPS)
}

/// Reads the version of the program that brought a database to its format.
pub(super) fn written_by(database: &Database) -> Result<String, Error> {
    let transaction = database.begin_read()?;
    let version = transaction.open_table(ABOUT)?.get(WRITTEN_BY)?;
    Ok(version.ok_or_else(foreign)?.value().to_owned())
}

/// Upgrades a database of a known format to the current one, in one transaction.
pub(super) fn upgrade(database: &Database, format: u32) -> Result<(), Error> {
    upgrade_by(database, format, STEPS)
}

/// Upgrades the second format, which has no event log, to the third.
fn add_lines(transaction: &WriteTransaction) -> Result<(), Error> {
    transaction.open_table(LINES)?;
    Ok(())
}

fn newest(steps: &[UpgradeStep]) -> u32 {
    u32::try_from(steps.len() + 1).unwrap_or(u32::MAX)
}

fn read_knowing(database: &Database, steps: &[UpgradeStep]) -> Result<FileFormat, Error> {
    let transaction = database.begin_read()?;
    let about = match transaction.open_table(ABOUT) {
        Err(TableError::TableDoesNotExist(_)) => return Err(foreign()),
        about => about?,
    };
    let text = |key: &str| -> Result<String, Error> {
        let value = about.get(key)?.ok_or_else(foreign)?;
        Ok(value.value().to_owned())
    };
    if text(PROGRAM)? != env!("CARGO_PKG_NAME") {
        return Err(foreign());
    }
    let format = text(FORMAT)?.parse().map_err(|_| foreign())?;
    let known = newest(steps);
    if format > known {
        let written_by = text(WRITTEN_BY)?;
        return Ok(FileFormat::Newer {
            format,
            known,
            written_by,
        });
    }
    if format == 0 {
        return Err(foreign());
    }
    Ok(FileFormat::Known(format))
}

fn upgrade_by(database: &Database, format: u32, steps: &[UpgradeStep]) -> Result<(), Error> {
    let done = usize::try_from(format.saturating_sub(1)).unwrap_or(usize::MAX);
    let left = steps.get(done..).unwrap_or_default();
    if left.is_empty() {
        return Ok(());
    }
    let transaction = file::begin_write(database)?;
    for step in left {
        step(&transaction)?;
    }
    stamp(&transaction, newest(steps))?;
    Ok(transaction.commit()?)
}

fn stamp(transaction: &WriteTransaction, format: u32) -> Result<(), Error> {
    let mut about = transaction.open_table(ABOUT)?;
    about.insert(PROGRAM, env!("CARGO_PKG_NAME"))?;
    about.insert(FORMAT, format.to_string().as_str())?;
    about.insert(WRITTEN_BY, env!("CARGO_PKG_VERSION"))?;
    Ok(())
}

fn foreign() -> Error {
    Error::Corrupted("it is a database of another program".to_owned())
}

#[cfg(test)]
mod tests {
    use redb::{ReadableTable, backends::InMemoryBackend};

    use super::*;

    fn fresh() -> Database {
        let database = Database::builder()
            .create_with_backend(InMemoryBackend::new())
            .expect("a database in memory");
        initialize(&database).expect("it can be written");
        database
    }

    fn add(transaction: &WriteTransaction, name: &str) -> Result<(), Error> {
        let mut numbers = transaction.open_table(NUMBERS)?;
        let steps = numbers.get("steps")?.map_or(0, |steps| steps.value());
        numbers.insert("steps", steps + 1)?;
        numbers.insert(name, steps)?;
        Ok(())
    }

    const TWO: &[UpgradeStep] = &[|to| add(to, "first"), |to| add(to, "second")];
    const FAILING: &[UpgradeStep] = &[
        |to| add(to, "first"),
        |_| Err(Error::Corrupted("no".to_owned())),
    ];

    fn number(database: &Database, name: &str) -> Option<u64> {
        let transaction = database.begin_read().expect("it can be read");
        let numbers = transaction.open_table(NUMBERS).expect("the table");
        let value = numbers.get(name).expect("it can be read");
        value.map(|value| value.value())
    }

    #[test]
    fn every_step_is_taken_once_and_in_order() {
        let database = fresh();
        upgrade_by(&database, 1, TWO).expect("two steps");
        assert_eq!(number(&database, "first"), Some(0));
        assert_eq!(number(&database, "second"), Some(1));
        let format = read_knowing(&database, TWO).expect("a format");
        assert_eq!(format, FileFormat::Known(3));
        upgrade_by(&database, 3, TWO).expect("nothing to do");
        assert_eq!(number(&database, "steps"), Some(2));
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let database = fresh();
        upgrade_by(&database, 1, FAILING).expect_err("the second step fails");
        assert_eq!(number(&database, "first"), None);
        let format = read(&database).expect("a format");
        assert_eq!(format, FileFormat::Known(newest(STEPS)));
    }

    #[test]
    fn what_is_newer_is_told_with_its_version() {
        let database = fresh();
        upgrade_by(&database, 1, TWO).expect("two steps");
        let expected = FileFormat::Newer {
            format: 3,
            known: 1,
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
        };
        assert_eq!(read_knowing(&database, &[]).expect("a format"), expected);
    }
}
