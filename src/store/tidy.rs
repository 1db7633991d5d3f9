//! Gives back what the file no longer needs, and overwrites what was deleted.
//!
//! The database keeps the pages of what was deleted, to use them again: the file never
//! becomes smaller by itself, and lines of the event log that were removed, which may hold
//! personal data, stay readable in it.

use redb::{Database, Error, ReadableDatabase, TableDefinition};

use super::{
    file, read,
    tables::{LINES_REMOVED, NUMBERS},
};

/// What fills the free pages of the file, for a moment.
const FILLER: TableDefinition<'_, &str, &str> = TableDefinition::new("filler");
/// The size of one value of [`FILLER`], which takes a page of its own.
const VALUE: usize = 3900;
/// The size up to which a file is not made smaller. To find out how many of its pages are free,
/// all of them are read, which would be a tenth of a start.
const SMALL: u64 = 8 << 20;

/// The use of the pages of a file, in bytes.
#[derive(Debug, Clone, Copy)]
struct Pages {
    size: u64,
    used: u64,
    free: u64,
}

/// Makes a file of this `length` smaller if it is large and most of it is free. If lines of the
/// event log were removed since it was last done, what was deleted is also overwritten.
pub(super) fn tidy(database: &mut Database, length: u64) -> Result<(), Error> {
    if are_lines_removed(database)? {
        return erase(database, length);
    }
    if length <= SMALL {
        return Ok(());
    }
    let Pages { used, free, .. } = pages(database, length)?;
    if free > used {
        while database.compact()? {}
    }
    Ok(())
}

/// Returns `true` if lines of the event log were removed, and not overwritten yet.
pub(super) fn are_lines_removed(database: &Database) -> Result<bool, Error> {
    let removed = read::read_number(&database.begin_read()?, LINES_REMOVED)?;
    Ok(removed == Some(1))
}

/// Makes the file smaller, and overwrites everything in it that was deleted.
fn erase(database: &mut Database, length: u64) -> Result<(), Error> {
    while database.compact()? {}
    fill(database, length)?;
    let transaction = file::begin_write(database)?;
    transaction.open_table(NUMBERS)?.remove(LINES_REMOVED)?;
    transaction.commit()?;
    while database.compact()? {}
    Ok(())
}

fn pages(database: &Database, length: u64) -> Result<Pages, Error> {
    let transaction = file::begin_write(database)?;
    let stats = transaction.stats()?;
    transaction.abort()?;
    let size = u64::try_from(stats.page_size()).unwrap_or(1);
    let used = stats.allocated_pages() * size;
    Ok(Pages {
        size,
        used,
        free: length.saturating_sub(used),
    })
}

/// Overwrites all free pages: they are taken for a table, which is removed again.
fn fill(database: &Database, length: u64) -> Result<(), Error> {
    let Pages { size, free, .. } = pages(database, length)?;
    let zeros = "0".repeat(VALUE);
    let transaction = file::begin_write(database)?;
    {
        let mut filler = transaction.open_table(FILLER)?;
        for page in 0..free / size {
            filler.insert(format!("{page:016x}").as_str(), zeros.as_str())?;
        }
    }
    transaction.commit()?;
    let transaction = file::begin_write(database)?;
    transaction.delete_table(FILLER)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::format, *};

    const LINES: TableDefinition<'_, &str, &str> = TableDefinition::new("lines");

    fn length(path: &std::path::Path) -> u64 {
        std::fs::metadata(path).expect("the file").len()
    }

    /// Writes so many lines, and removes each some commits later.
    fn write_lines(database: &Database, lines: u32) {
        for first in (0..lines).step_by(50) {
            let transaction = file::begin_write(database).expect("a transaction");
            let mut table = transaction.open_table(LINES).expect("the table");
            for line in first..first + 50 {
                let text = format!("{{\"user_email\":\"person-{line}@example.com\"}}").repeat(6);
                let key = format!("{line:016x}");
                table.insert(&*key, &*text).expect("it is written");
            }
            let gone = format!("{:016x}", first.saturating_sub(200));
            table.retain(|key, _| key >= &*gone).expect("it is removed");
            drop(table);
            transaction.commit().expect("it is committed");
        }
        let transaction = file::begin_write(database).expect("a transaction");
        let mut table = transaction.open_table(LINES).expect("the table");
        table.retain(|_, _| false).expect("it is removed");
        drop(table);
        transaction.commit().expect("it is committed");
    }

    fn addresses(path: &std::path::Path) -> usize {
        let bytes = std::fs::read(path).expect("the file");
        let found = bytes.windows(12).filter(|part| part == b"@example.com");
        found.count()
    }

    #[test]
    fn a_large_file_that_is_mostly_free_is_made_smaller() {
        for (pages, is_large) in [(1000, false), (4000, true)] {
            let file = tempfile::NamedTempFile::new().expect("a file");
            let mut database = Database::create(file.path()).expect("a database");
            format::initialize(&database).expect("a state");
            // Takes pages up to this length, and frees them again.
            fill(&database, pages * 4096).expect("pages are taken");
            let full = length(file.path());
            assert!(full > pages * 4096, "{full}");
            tidy(&mut database, full).expect("it is tidied");
            let after = length(file.path());
            assert_eq!(after < full / 4, is_large, "{after} of {full}");
        }
    }

    #[test]
    fn what_was_removed_is_overwritten_and_the_file_becomes_smaller() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut database = Database::create(file.path()).expect("a database");
        write_lines(&database, 3000);
        let before = length(file.path());
        assert!(addresses(file.path()) > 100);
        erase(&mut database, before).expect("it is tidied");
        assert_eq!(addresses(file.path()), 0);
        database.close().expect("it is closed");
        assert_eq!(addresses(file.path()), 0);
        let after = length(file.path());
        assert!(after < before / 4, "{after} of {before}");
    }
}
