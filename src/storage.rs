//! The store as the poller uses it: off the threads that answer scrapes, since a
//! disk may take its time.

use std::{
    future::pending,
    panic::resume_unwind,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::{sync::Notify, task::spawn_blocking};

use crate::{
    account::{Account, Commit},
    ledger::{GateMemory, Ledger},
    outbox::{Line, Outbox},
    poller::Storage,
    store::{Store, StoreError},
    window::{Remembered, Window, WindowSettings},
};

/// One account in the store.
#[derive(Debug)]
pub struct StoredAccount {
    store: Arc<Mutex<Store>>,
    key: Arc<str>,
    /// Lines of the event log were stored.
    lines: Arc<Notify>,
}

/// The lines of an account's event log, as they are stored.
#[derive(Debug, Clone)]
pub struct StoredLines {
    store: Arc<Mutex<Store>>,
    key: Arc<str>,
    stored: Arc<Notify>,
}

impl StoredLines {
    /// Those after the line of number `after`, in order, and no more than `most`
    /// bytes of them, but for the first. Waits for the disk.
    ///
    /// # Errors
    /// [`StoreError`], with what to do.
    pub fn after(&self, after: u64, most: usize) -> Result<Vec<Line>, StoreError> {
        lock(&self.store).lines(&self.key, after, most)
    }

    /// Waits until more were stored.
    pub async fn more(&self) {
        self.stored.notified().await;
    }
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
            lines: Arc::default(),
        })
    }

    /// The lines of the event log.
    #[must_use]
    pub fn lines(&self) -> StoredLines {
        StoredLines {
            store: Arc::clone(&self.store),
            key: Arc::clone(&self.key),
            stored: Arc::clone(&self.lines),
        }
    }

    /// The number of the last line that was stored and not written; 0 if there is
    /// none.
    ///
    /// # Errors
    /// [`StoreError`], with what to do.
    pub fn last_line(&self) -> Result<u64, StoreError> {
        lock(&self.store).last_line(&self.key)
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
            outbox: Outbox::default(),
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
        let has_lines = !commit.lines.new.is_empty();
        let commit = move || lock(&store).commit(&key, &commit, &gate, Timestamp::now());
        tracing::trace!("commit");
        let outcome = spawn_blocking(commit).await;
        tracing::trace!("commit ended");
        match outcome {
            Ok(outcome) => {
                if has_lines && outcome.is_ok() {
                    self.lines.notify_one();
                }
                outcome
            }
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
