//! The durable state: everything that was counted and shown survives any crash.
//!
//! The state is one file. A commit is written in one transaction: how far the account
//! is read, the ids of counted events, the counters, the lines of the event log, and the
//! memory of the gate. After a crash the file contains all of a commit or nothing of it.
//!
//! The store does not interpret what it stores, and reads neither the clock nor the
//! environment. It never changes a file that is damaged, or that another program or a
//! newer version wrote: such a file stays the same to the byte.
//!
//! After an error the file is closed, and the next call opens it again, so that writes
//! succeed again once the disk works. Each write has a number and names its process
//! (`WriteId`), so that the next call can tell whether another process has changed the
//! file meanwhile.
//!
//! - [`Store`] reads and writes the file, and waits for the disk.
//! - `queue` writes the commits of all pollers on a thread of its own; `handles` are
//!   what pollers use.
//! - `event_log` writes the stored lines of the event log to their destination, on another
//!   thread. `disk_call` notices when the disk of one of the two hangs.
//! - [`StateReader`] reads a file that must not change; `import` takes in an account of
//!   another file. Both deal in the parts of an account, [`StoredPart`].
//! - `tables` and `format` are the form of the file; `file`, `unchanged_file` and
//!   `held_file` open it, and `trial` tries whether it can be opened.

mod commit_slots;
pub(crate) mod counter_name;
mod disk_call;
mod error;
pub(crate) mod event_log;
mod file;
mod file_identity;
mod format;
mod format_1;
mod format_3;
mod handles;
mod held_file;
mod import;
mod lock_owner;
mod queue;
mod read;
mod state_reader;
mod stored_part;
mod tables;
mod tidy;
mod trial;
mod unchanged_file;
mod write;
mod write_id;

pub(crate) use disk_call::{DiskCall, Noticed};
pub use error::StoreError;
pub(crate) use handles::AccountStorage;
pub use handles::SharedStore;
pub use import::{Conflicts, ImportError, Imported, SomeCounters};
pub use state_reader::StateReader;
pub use stored_part::{AccountProgress, GateMemory, KnownScraper, StoredPart};
pub(crate) use trial::{try_appending, try_state};

use std::{
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    sync::Arc,
};

use audit_core::{
    account::{Commit, Stage},
    gate::SavedGate,
    ledger::Ledger,
    outbox::Line,
    window::{Remembered, SavedWindow},
};
use file::OpenFile;
use jiff::Timestamp;
use write_id::LastWrite;

/// The durable state of all accounts. The file is locked for this process.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// `None` after an error, until the file is opened again.
    file: Option<OpenFile>,
    /// `true` once the state is closed for good.
    is_closed: bool,
    has_lost_one: bool,
    last_write: LastWrite,
}

/// An account as it was stored, without the ids that it remembers.
#[derive(Debug, Clone)]
pub struct SavedAccount {
    /// The progress of counting.
    pub stage: Stage,
    /// The window.
    pub window: SavedWindow,
    /// The counters.
    pub ledger: Ledger,
}

impl Store {
    /// Opens the state in `directory`, and verifies all checksums. Creates the directory
    /// (but not its parent) and the file if they are missing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the state cannot be used. The file is then unchanged.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = file::path_in(directory);
        file::ensure(directory, &path)?;
        let mut file = file::open(&path, None)?;
        if let Err(error) = file.tidy(&path) {
            tracing::warn!(%error, "the state could not be made smaller; the next start tries again");
            // The database accepts no call after an error.
            drop(file);
            file = file::open(&path, None)?;
        }
        let last = file::guarded("read", &path, || read::last_write_id(&file.database))?;
        Ok(Self {
            path,
            has_lost_one: file.has_lost_one,
            file: Some(file),
            is_closed: false,
            last_write: LastWrite::new(unique(), last),
        })
    }

    /// Returns `true` if the file named a commit that was not whole or not finished, so that
    /// the state was opened as the commit before it has left it. A crash can cut off a commit
    /// that was not on the disk yet; nothing of such a commit was shown.
    #[must_use]
    pub fn has_lost_one(&self) -> bool {
        self.has_lost_one
    }

    /// Closes the file for good, so that damage to it can be told from a crash: in a file that
    /// was closed, nothing may be cut off. Later calls fail.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be written. It is then as a crash leaves it.
    pub fn close(&mut self) -> Result<(), StoreError> {
        self.is_closed = true;
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        file.tidy_at_end(&self.path)?;
        file::guarded("close", &self.path, || Ok(file.database.close()?))
    }

    /// Reads an account, and puts its counters into the empty `ledger`. Returns `None`
    /// if the account was never stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read.
    pub fn load_account(
        &mut self,
        api_key: &str,
        ledger: Ledger,
    ) -> Result<Option<SavedAccount>, StoreError> {
        self.with_file("read", |file, _| read::account(file, api_key, ledger))
    }

    /// Reads the ids that an account remembers; none if the account was never stored. There
    /// may be millions, so they are read apart from the counters, which are shown before.
    ///
    /// `take` gets an iterator over the ids, oldest first, so that they are never in memory
    /// twice. The times of the ids are rounded down to seconds.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read. The result of `take` is then dropped.
    pub fn load_ids<T>(
        &mut self,
        api_key: &str,
        take: impl FnOnce(&mut dyn Iterator<Item = Remembered>) -> T,
    ) -> Result<T, StoreError> {
        self.with_file("read", |file, _| read::ids(file, api_key, take))
    }

    /// Reads the memory of the gate. `now` is the time of the wall clock; a scraper that
    /// was last seen after `now` counts as just seen.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read.
    pub fn load_gate(&mut self, now: Timestamp) -> Result<SavedGate, StoreError> {
        self.with_file("read", |file, _| read::gate(file, now))
    }

    /// Reads the stored lines of an account's event log that have a number above
    /// `after`, in order. Returns at most `max_bytes` of text, but at least one line if
    /// there is any.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read.
    pub fn lines(
        &mut self,
        api_key: &str,
        after: u64,
        max_bytes: usize,
    ) -> Result<Vec<Line>, StoreError> {
        self.with_file("read", |file, _| {
            read::lines(file, api_key, after, max_bytes)
        })
    }

    /// Reads the number of the last stored line of an account's event log; 0 if there
    /// is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read.
    pub fn last_line(&mut self, api_key: &str) -> Result<u64, StoreError> {
        self.with_file("read", |file, _| read::last_line(file, api_key))
    }

    /// Reads the size of the stored lines of an account's event log, in bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read.
    pub fn line_bytes(&mut self, api_key: &str) -> Result<u64, StoreError> {
        self.with_file("read", |file, _| read::line_bytes(file, api_key))
    }

    /// Reads which accounts have lines of the event log, each with its API key and the numbers
    /// of the first and of the last line.
    fn waiting_lines(&mut self) -> Result<Vec<(String, u64, u64)>, StoreError> {
        self.with_file("read", |file, _| read::waiting_lines(file))
    }

    /// Removes the lines of the event log up to a number, each with the API key of its
    /// account, in one transaction.
    fn remove_lines(&mut self, written: &[(Arc<str>, u64)]) -> Result<(), StoreError> {
        self.with_file("write", |file, last_write| {
            let id = last_write.next();
            write::remove_lines(file, written, id)?;
            last_write.settle(id);
            Ok(())
        })
    }

    /// Writes commits, each with the API key of its account, and the memory of the gate
    /// if it has changed, in one transaction. Everything is on the disk when the function
    /// returns. Writing the same commits again changes nothing. `now` is the time of the
    /// wall clock.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the commits are not or perhaps not in the file. Nothing of them
    /// may be shown before they, or later commits, are written successfully. If
    /// [`StoreError::is_transient`], a later call may succeed.
    pub fn write(
        &mut self,
        commits: &[(&str, &Commit)],
        gate: Option<&SavedGate>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with_file("write", |file, last_write| {
            let id = last_write.next();
            write::commits(file, commits, gate, now, id)?;
            last_write.settle(id);
            Ok(())
        })
    }

    /// Runs `run` on the open file. After an error the file is closed, since the database
    /// accepts no call after an error.
    fn with_file<T>(
        &mut self,
        doing: &'static str,
        run: impl FnOnce(&OpenFile, &mut LastWrite) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let file = self.take_file()?;
        let last_write = &mut self.last_write;
        let (answer, file) = file::guarded(doing, &self.path, || {
            let answer = run(&file, last_write)?;
            Ok((answer, file))
        })?;
        self.file = Some(file);
        Ok(answer)
    }

    /// Takes the open file, or opens it again. Fails if the file is no longer at its path.
    fn take_file(&mut self) -> Result<OpenFile, StoreError> {
        match self.file.take() {
            None if self.is_closed => Err(StoreError::Closed {
                path: self.path.clone(),
            }),
            None => self.reopen(),
            Some(file) if file.is_at(&self.path)? => Ok(file),
            Some(_) => Err(StoreError::Gone {
                path: self.path.clone(),
            }),
        }
    }

    /// Opens the file again. Never creates a new file, since what this process has counted
    /// would not fit it.
    fn reopen(&mut self) -> Result<OpenFile, StoreError> {
        let file = file::open(&self.path, Some(&self.last_write))?;
        let found = file::guarded("read", &self.path, || read::last_write_id(&file.database))?;
        self.last_write.settle(found);
        Ok(file)
    }
}

/// Returns a number that no other process has. It comes from the random seed of hash
/// tables.
fn unique() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
