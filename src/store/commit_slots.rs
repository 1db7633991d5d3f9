//! The commits that the header of the file names.
//!
//! The file has two slots for commits: the current one, and the one before it or one that
//! was not finished. If the current commit is not whole, the database can go on from the
//! other one, and does not say so. This module reads the numbers of the commits from the
//! header, in the file format 3 of redb, so that it can be said.

use std::io;

use redb::StorageBackend;

/// The length of the header.
const HEADER: usize = 320;
/// The place of the byte whose lowest bit is the number of the current slot.
const FLAGS: usize = 9;
/// The places of the slots.
const SLOTS: [usize; 2] = [64, 192];
/// The place of the number of the commit within a slot.
const NUMBER: usize = 104;

/// The numbers of the commits in the slots, which rise with each commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CommitSlots {
    current: u64,
    other: u64,
}

impl CommitSlots {
    /// Reads the slots of a file. Returns `None` if the file has no header.
    pub(super) fn read(file: &impl StorageBackend) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER];
        if file.len()? < HEADER as u64 {
            return Ok(None);
        }
        file.read(0, &mut header)?;
        let number = |slot: usize| {
            let at = SLOTS[slot] + NUMBER;
            let bytes = header.get(at..at + 8)?.try_into().ok()?;
            Some(u64::from_le_bytes(bytes))
        };
        let current = usize::from(header[FLAGS] & 1);
        Ok(number(current)
            .zip(number(1 - current))
            .map(|(current, other)| Self { current, other }))
    }

    /// Returns `true` if a commit of `self` was left out when the database was opened:
    /// `opened` are the slots since then. Opening makes one commit.
    pub(super) fn have_lost_one(self, opened: Self) -> bool {
        let newest = self.current.max(self.other);
        opened.current <= newest && opened != self
    }
}

#[cfg(test)]
mod tests {
    use redb::{Database, TableDefinition, backends::InMemoryBackend};

    use super::*;

    const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");

    /// Returns the bytes of a database after some commits, as a crash leaves them.
    fn crashed(commits: u64) -> Vec<u8> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let database = Database::create(file.path()).expect("a database");
        for number in 0..commits {
            let mut transaction = database.begin_write().expect("a transaction");
            transaction.set_two_phase_commit(true);
            let mut table = transaction.open_table(NUMBERS).expect("a table");
            table.insert("one", number).expect("it is written");
            drop(table);
            transaction.commit().expect("it is committed");
        }
        std::fs::read(file.path()).expect("the file")
    }

    fn has_lost_one(bytes: &[u8]) -> bool {
        let file = InMemoryBackend::new();
        file.set_len(bytes.len() as u64).expect("a length");
        file.write(0, bytes).expect("it is written");
        let path = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(path.path(), bytes).expect("it is written");
        let before = CommitSlots::read(&file).expect("it is read");
        let opened = redb::Builder::new()
            .set_check_integrity_on_open(true)
            .open(path.path())
            .expect("it is opened");
        let after = std::fs::read(path.path()).expect("the file");
        drop(opened);
        let file = InMemoryBackend::new();
        file.set_len(after.len() as u64).expect("a length");
        file.write(0, &after).expect("it is written");
        let after = CommitSlots::read(&file).expect("it is read");
        before.expect("slots").have_lost_one(after.expect("slots"))
    }

    #[test]
    fn a_commit_that_is_left_out_is_known() {
        let mut bytes = crashed(5);
        assert!(!has_lost_one(&bytes));
        // As if the last commit had not become the current one.
        bytes[FLAGS] ^= 1;
        assert!(has_lost_one(&bytes));
    }

    #[test]
    fn a_file_without_a_header_has_no_slots() {
        let file = InMemoryBackend::new();
        assert_eq!(CommitSlots::read(&file).expect("it is read"), None);
    }
}
