//! Takes in an account that was read from another state, in one transaction.
//!
//! The account takes the place of the one that is stored under the same API key, if there
//! is one. That one must then be an earlier state of the same account: no counter may
//! fall or vanish that was shown, and every event that was counted must be known to the
//! new state. Otherwise nothing changes.
//!
//! Both accounts come in the order of their keys, so that they are compared side by side:
//! `uncompared` is the stored one, and `account_import` compares and writes.

mod account_import;
mod conflicts;
mod uncompared;

pub use conflicts::{Conflicts, SomeCounters};

use redb::{Error, ReadableDatabase};

use super::{
    Store, StoreError,
    file::{self, OpenFile},
    stored_part::StoredPart,
    write,
    write_id::LastWrite,
};
use account_import::AccountImport;

/// What an import has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// The account was not stored before.
    New,
    /// The account has taken the place of an earlier state of it.
    Replaced,
    /// The account was stored as it is already.
    Unchanged,
}

/// The reason why nothing was imported. `E` is the error of the source.
#[derive(Debug, thiserror::Error)]
pub enum ImportError<E> {
    /// The state cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The source failed, or is not to be trusted.
    #[error("the source failed")]
    Source(E),
    /// The stored account is not an earlier state of the one that was to be imported.
    #[error("the stored account is further on")]
    Ahead(Box<Conflicts>),
}

impl Store {
    /// Takes in the account that `parts` yields, under `api_key`, in one transaction. The
    /// parts must have the order that [`StoredPart`] asks for. They are written one by
    /// one, so that a million ids are never in memory. The memory of the gate is taken in
    /// only if no server has ever scraped this state.
    ///
    /// # Errors
    ///
    /// [`ImportError`] if nothing was imported. The first error of `parts` ends the import.
    pub fn import<E>(
        &mut self,
        api_key: &str,
        parts: impl IntoIterator<Item = Result<StoredPart, E>>,
    ) -> Result<Imported, ImportError<E>> {
        self.with_file("write", |file, last_write| {
            import(file, last_write, api_key, parts)
        })?
    }
}

fn import<E>(
    file: &OpenFile,
    last_write: &mut LastWrite,
    api_key: &str,
    parts: impl IntoIterator<Item = Result<StoredPart, E>>,
) -> Result<Result<Imported, ImportError<E>>, Error> {
    let stored = file.database.begin_read()?;
    // Dropping the transaction undoes what it has written.
    let transaction = file::begin_write(&file.database)?;
    let mut account = AccountImport::begin(&transaction, &stored, api_key)?;
    for part in parts {
        match part {
            Ok(part) => account.take(&part)?,
            Err(error) => return Ok(Err(ImportError::Source(error))),
        }
    }
    let (imported, conflicts) = account.end()?;
    if conflicts != Conflicts::default() {
        return Ok(Err(ImportError::Ahead(Box::new(conflicts))));
    }
    if imported != Imported::Unchanged {
        let id = last_write.next();
        write::write_last_id(&transaction, id)?;
        transaction.commit()?;
        last_write.settle(id);
    }
    Ok(Ok(imported))
}
