//! Reads a state without changing it.

use std::{
    iter,
    path::{Path, PathBuf},
};

use redb::{Error, ReadableDatabase, ReadableTable};

use super::{
    error::StoreError,
    file, read,
    stored_part::{self, GateMemory, StoredPart},
    tables::ACCOUNTS,
    unchanged_file::{self, UnchangedFile},
};

/// A stored state that is only read. No byte of its file changes, and no other process
/// can use the file meanwhile.
#[derive(Debug)]
pub struct StateReader {
    path: PathBuf,
    file: UnchangedFile,
}

impl StateReader {
    /// Opens the state in `directory`, and verifies all checksums. Creates nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is no state, or if it cannot be used.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = file::path_in(directory);
        let file = unchanged_file::open(&path)?;
        Ok(Self { path, file })
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the format of the file, and the version of the program that brought the
    /// file to that format.
    #[must_use]
    pub fn format(&self) -> (u32, &str) {
        (self.file.format, &self.file.written_by)
    }

    /// Returns the number of writes so far.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read.
    pub fn writes(&self) -> Result<u64, StoreError> {
        let id = self.guarded(|| read::last_write_id(&self.file.database))?;
        Ok(id.sequence)
    }

    /// Returns the API keys of all accounts, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read.
    pub fn api_keys(&self) -> Result<Vec<String>, StoreError> {
        self.guarded(|| {
            let accounts = self.file.database.begin_read()?.open_table(ACCOUNTS)?;
            let keys = accounts
                .iter()?
                .map(|entry| Ok(entry?.0.value().to_owned()));
            keys.collect()
        })
    }

    /// Returns the memory of the gate.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read.
    pub fn gate(&self) -> Result<GateMemory, StoreError> {
        self.guarded(|| stored_part::gate(&self.file.database.begin_read()?))
    }

    /// Returns the parts of an account, which are read one by one while the iterator
    /// advances; `None` if the account was never stored. After an error there are no more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be read.
    pub fn parts(
        &self,
        api_key: &str,
    ) -> Result<Option<impl Iterator<Item = Result<StoredPart, StoreError>>>, StoreError> {
        let parts = self.guarded(|| {
            let transaction = self.file.database.begin_read()?;
            let number = stored_part::number(&transaction, api_key)?;
            let all = |number| stored_part::all(&transaction, number);
            number.map(all).transpose()
        })?;
        Ok(parts.map(|mut parts| {
            let mut has_failed = false;
            iter::from_fn(move || {
                let next = self.guarded(|| parts.next().transpose());
                let next = next.transpose().filter(|_| !has_failed)?;
                has_failed = next.is_err();
                Some(next)
            })
        }))
    }

    fn guarded<T>(&self, run: impl FnOnce() -> Result<T, Error>) -> Result<T, StoreError> {
        file::guarded("read", &self.path, run)
    }
}
