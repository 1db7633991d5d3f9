//! The durable state: what was counted and what was shown survives any crash.
//!
//! One file in one directory, and one transaction for everything that belongs
//! together: how far an account is read, the ids that are counted, its counters
//! and who scrapes. After a crash all of a commit is there or nothing of it.
//!
//! It must not judge what it stores, must not know the time or the environment,
//! and must never change a file that it cannot vouch for: what is damaged, of
//! another program or of a newer version stays as it is, to the byte.
//!
//! After an error the file is closed, and the next call opens it again, so that
//! the state mends itself when the disk does. Every commit bears a number and who
//! made it, by which that next call knows whether the file is still the one that
//! this process left.

mod error;
pub(crate) mod event_log;
mod file;
mod file_identity;
mod format;
mod format_1;
mod handles;
mod held_file;
mod lock_owner;
mod queue;
mod read;
mod tables;
mod write;
mod write_id;

pub use error::StoreError;
pub(crate) use handles::{AccountStorage, SharedStore};

use std::{
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
};

use audit_core::{
    account::{Commit, Stage},
    gate::GateMemory,
    ledger::Ledger,
    outbox::Line,
    window::{Remembered, SavedWindow},
};
use file::OpenFile;
use jiff::Timestamp;
use write_id::LastWrite;

/// The durable state of all accounts, held for this process alone.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// `None` after an error, until it is opened again.
    file: Option<OpenFile>,
    last_write: LastWrite,
}

/// An account as it was stored; `W` is what was made of its window.
#[derive(Debug, Clone)]
pub struct SavedAccount<W> {
    /// Where the account stands.
    pub stage: Stage,
    /// What [`Store::load_account`] was told to make of the window and its ids.
    pub window: W,
    /// Its counters.
    pub ledger: Ledger,
}

impl Store {
    /// Opens the state in `directory`; makes the directory (but none above it) and
    /// the state if they are missing. Every checksum in the file is verified.
    ///
    /// # Errors
    ///
    /// When the state cannot be used. What is there is then left as it is.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = file::path_in(directory);
        file::ensure(directory, &path)?;
        let file = file::open(&path, None)?;
        let last = file::guarded("read", &path, || read::last_write_id(&file.database))?;
        Ok(Self {
            path,
            file: Some(file),
            last_write: LastWrite::new(unique(), last),
        })
    }

    /// Reads an account, its counters into `ledger`, which has none yet; `None` if
    /// nothing was ever stored of it.
    ///
    /// `restore` is given the window and its ids, one by one and oldest first, so
    /// that a million of them need no room but their own. Their times are whole
    /// seconds, rounded down.
    ///
    /// # Errors
    ///
    /// When the file cannot be read. What `restore` has made is then dropped.
    pub fn load_account<W>(
        &mut self,
        api_key: &str,
        ledger: Ledger,
        restore: impl FnOnce(SavedWindow, &mut dyn Iterator<Item = Remembered>) -> W,
    ) -> Result<Option<SavedAccount<W>>, StoreError> {
        self.with_file("read", |file, _| {
            read::account(file, api_key, ledger, restore)
        })
    }

    /// Reads what is remembered of who scrapes. `now` is the wall clock; one who
    /// was last seen after that counts as just seen.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn load_gate(&mut self, now: Timestamp) -> Result<GateMemory, StoreError> {
        self.with_file("read", |file, _| read::gate(file, now))
    }

    /// Reads lines of an account's event log that are not taken away yet: those
    /// after the one of number `after`, in order, and no more than `most` bytes of
    /// them, but for the first.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn lines(
        &mut self,
        api_key: &str,
        after: u64,
        most: usize,
    ) -> Result<Vec<Line>, StoreError> {
        self.with_file("read", |file, _| read::lines(file, api_key, after, most))
    }

    /// The number of the last of those lines; 0 if there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn last_line(&mut self, api_key: &str) -> Result<u64, StoreError> {
        self.with_file("read", |file, _| read::last_line(file, api_key))
    }

    /// Stores commits of accounts, each with its API key, and what is remembered of
    /// who scrapes if that is new, in one transaction. It is on the disk when this
    /// returns. To store the same again changes nothing. `now` is the wall clock.
    ///
    /// # Errors
    ///
    /// When it could not be stored, or perhaps was and that is not certain: store
    /// the same or a later commit before anything of it is shown. Where
    /// [`StoreError::is_transient`], a later call may succeed.
    pub fn write(
        &mut self,
        commits: &[(&str, &Commit)],
        gate: Option<&GateMemory>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with_file("write", |file, last_write| {
            let id = last_write.next();
            write::commits(file, commits, gate, now, id)?;
            last_write.settle(id);
            Ok(())
        })
    }

    /// Runs what uses the file; after an error it is closed, since the database
    /// refuses to go on after one.
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

    /// The open file, if it is what is at the path; opened again if need be.
    fn take_file(&mut self) -> Result<OpenFile, StoreError> {
        match self.file.take() {
            None => self.reopen(),
            Some(file) if file.is_at(&self.path)? => Ok(file),
            Some(_) => Err(StoreError::Gone {
                path: self.path.clone(),
            }),
        }
    }

    /// Never makes a new file: what this process knows would not fit it.
    fn reopen(&mut self) -> Result<OpenFile, StoreError> {
        let file = file::open(&self.path, Some(&self.last_write))?;
        let found = file::guarded("read", &self.path, || read::last_write_id(&file.database))?;
        self.last_write.settle(found);
        Ok(file)
    }
}

/// A number that no other process has, from the randomness that hash tables are
/// seeded with.
fn unique() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
