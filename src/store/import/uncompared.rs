//! A stored account, as far as it has not been compared with the imported one.

use std::iter::Peekable;

use audit_core::event::Labels;
use redb::{Error, ReadTransaction};

use crate::store::{
    stored_part::{self, AccountProgress, Counter, Entries},
    tables::{AccountNumber, StoredIdKey},
};

/// The stored account; empty if the account is new.
pub(super) struct UncomparedAccount {
    pub(super) progress: Option<AccountProgress>,
    pub(super) ids: Uncompared<StoredIdKey, ()>,
    pub(super) series: Uncompared<Labels<'static>, Counter>,
    pub(super) types: Uncompared<String, Counter>,
    pub(super) lines: Uncompared<u64, String>,
}

/// The entries of one table that have not been compared, in the order of their keys.
pub(super) struct Uncompared<K, V>(Peekable<Entries<K, V>>);

impl<K: Ord, V> Uncompared<K, V> {
    /// Takes the first entry if its key is before `key`; without a `key`, takes any.
    pub(super) fn next_before(&mut self, key: Option<&K>) -> Result<Option<(K, V)>, Error> {
        self.next_if(|found| key.is_none_or(|key| found < key))
    }

    /// Takes the value of the first entry if its key is `key`.
    pub(super) fn value_of(&mut self, key: &K) -> Result<Option<V>, Error> {
        let entry = self.next_if(|found| found == key)?;
        Ok(entry.map(|(_, value)| value))
    }

    fn next_if(&mut self, holds: impl FnOnce(&K) -> bool) -> Result<Option<(K, V)>, Error> {
        let is_next = |entry: &Result<(K, V), Error>| match entry {
            Ok((key, _)) => holds(key),
            // The error is taken at once.
            Err(_) => true,
        };
        self.0.next_if(is_next).transpose()
    }
}

impl UncomparedAccount {
    pub(super) fn new(
        stored: &ReadTransaction,
        account: Option<AccountNumber>,
    ) -> Result<Self, Error> {
        let Some(account) = account else {
            return Ok(Self {
                progress: None,
                ids: Uncompared::none(),
                series: Uncompared::none(),
                types: Uncompared::none(),
                lines: Uncompared::none(),
            });
        };
        Ok(Self {
            progress: stored_part::progress(stored, account)?,
            ids: Uncompared(stored_part::ids(stored, account)?.peekable()),
            series: Uncompared(stored_part::series(stored, account)?.peekable()),
            types: Uncompared(stored_part::types(stored, account)?.peekable()),
            lines: Uncompared(stored_part::lines(stored, account)?.peekable()),
        })
    }
}

impl<K: 'static, V: 'static> Uncompared<K, V> {
    fn none() -> Self {
        let none: Entries<K, V> = Box::new(std::iter::empty());
        Self(none.peekable())
    }
}
