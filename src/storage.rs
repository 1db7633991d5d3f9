//! The store as the poller uses it: off the threads that answer scrapes, since a
//! disk may take its time.

use std::{
    future::pending,
    panic::resume_unwind,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use crate::{
    account::{Account, Commit},
    ledger::{GateMemory, Ledger},
    poller::Storage,
    store::{Store, StoreError},
    window::{Remembered, Window, WindowSettings},
};

/// One account in the store.
#[derive(Debug)]
pub struct StoredAccount {
    store: Arc<Mutex<Store>>,
    key: Arc<str>,
}

impl StoredAccount {
    /// Opens the store for the account that has this API key.
    ///
    /// # Errors
    /// [`StoreError`], with what to do.
    pub fn open(directory: &Path, key: &str) -> Result<Self, StoreError> {
        Ok(Self {
            store: Arc::new(Mutex::new(Store::open(directory)?)),
            key: key.into(),
        })
    }

    /// The account as it was stored, if it ever was.
    ///
    /// # Errors
    /// [`StoreError`], with what to do.
    pub fn load(
        &self,
        settings: WindowSettings,
        max_series: usize,
    ) -> Result<Option<Account>, StoreError> {
        let window = |saved, ids: &mut dyn Iterator<Item = Remembered>| {
            Window::restore(settings, saved, ids)
        };
        let ledger = Ledger::new(max_series);
        let saved = lock(&self.store).load_account(&self.key, ledger, window)?;
        Ok(saved.map(|saved| Account {
            window: saved.window,
            ledger: saved.ledger,
            stage: saved.stage,
        }))
    }

    /// Who scraped, when last known.
    ///
    /// # Errors
    /// [`StoreError`], with what to do.
    pub fn load_gate(&self, now: Timestamp) -> Result<GateMemory, StoreError> {
        lock(&self.store).load_gate(now)
    }
}

impl Storage for StoredAccount {
    type Error = StoreError;

    async fn commit(
        &mut self,
        commit: Arc<Commit>,
        gate: Arc<GateMemory>,
    ) -> Result<(), StoreError> {
        let (store, key) = (Arc::clone(&self.store), Arc::clone(&self.key));
        let commit = move || lock(&store).commit(&key, &commit, &gate, Timestamp::now());
        tracing::trace!("commit");
        let outcome = spawn_blocking(commit).await;
        tracing::trace!("commit ended");
        match outcome {
            Ok(outcome) => outcome,
            Err(panicked) if panicked.is_panic() => resume_unwind(panicked.into_panic()),
            // The runtime is ending, and this task with it.
            Err(_) => pending().await,
        }
    }
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    // A transaction that panicked was rolled back.
    store.lock().unwrap_or_else(PoisonError::into_inner)
}
