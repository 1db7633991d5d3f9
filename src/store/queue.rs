//! The queue of commits before the file.
//!
//! A disk may be slow, so commits are written on a thread of their own and not on the
//! threads that answer scrapes. All commits that wait go into one transaction, since each
//! transaction waits for the disk once.

use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit_core::{account::Commit, gate::SavedGate};
use jiff::Timestamp;
use tokio::{sync::oneshot, task::spawn_blocking};

use super::{Store, StoreError};

/// The store, and the commits that wait to be written to it.
#[derive(Debug)]
pub(super) struct WriteQueue {
    store: Mutex<Store>,
    state: Mutex<QueueState>,
}

#[derive(Debug, Default)]
struct QueueState {
    waiting: Vec<QueuedWrite>,
    /// `true` while a thread is writing; it then also writes the commits that wait.
    writing: bool,
    /// The uptime at which the stored memory of the gate was taken.
    gate_taken: Option<Duration>,
}

#[derive(Debug)]
struct QueuedWrite {
    /// `None` for a caller that only waits for the writes before its own.
    write: Option<AccountWrite>,
    done: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

/// The commit of a poller that is to be written, with the memory of the gate.
#[derive(Debug)]
pub(super) struct AccountWrite {
    /// The API key of the account.
    pub(super) key: Arc<str>,
    pub(super) commit: Arc<Commit>,
    pub(super) gate: Arc<SavedGate>,
}

impl WriteQueue {
    pub(super) fn new(store: Store) -> Self {
        Self {
            store: Mutex::new(store),
            state: Mutex::default(),
        }
    }

    /// Returns the store itself, for reading. Waits for a transaction that is being
    /// written.
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// Waits until `write` is on the disk.
    pub(super) async fn write(
        self: &Arc<Self>,
        write: AccountWrite,
    ) -> Result<(), Arc<StoreError>> {
        self.enqueue(Some(write)).await
    }

    /// Waits until every write that is in the queue now has succeeded or failed.
    pub(super) async fn flush(self: &Arc<Self>) {
        // Each failure is told to the caller whose write failed.
        let _ = self.enqueue(None).await;
    }

    async fn enqueue(self: &Arc<Self>, write: Option<AccountWrite>) -> Result<(), Arc<StoreError>> {
        let (done, outcome) = oneshot::channel();
        let is_first = {
            let mut state = lock(&self.state);
            state.waiting.push(QueuedWrite { write, done });
            !std::mem::replace(&mut state.writing, true)
        };
        if is_first {
            let queue = Arc::clone(self);
            spawn_blocking(move || queue.write_waiting());
        }
        match outcome.await {
            Ok(outcome) => outcome,
            // The runtime is ending, and this task with it.
            Err(_) => pending().await,
        }
    }

    /// Writes until no commit waits.
    fn write_waiting(&self) {
        loop {
            let (batch, gate_taken) = {
                let mut state = lock(&self.state);
                if state.waiting.is_empty() {
                    state.writing = false;
                    return;
                }
                (std::mem::take(&mut state.waiting), state.gate_taken)
            };
            let outcome = self.write_batch(&batch, gate_taken);
            if let Ok(taken) = &outcome {
                lock(&self.state).gate_taken = *taken;
            }
            let outcome = outcome.map(drop).map_err(Arc::new);
            for queued in batch {
                // A caller that was dropped needs no answer.
                let _ = queued.done.send(outcome.clone());
            }
        }
    }

    /// Writes `batch` in one transaction. Returns the uptime at which the memory of the
    /// gate that is stored now was taken.
    fn write_batch(
        &self,
        batch: &[QueuedWrite],
        gate_taken: Option<Duration>,
    ) -> Result<Option<Duration>, StoreError> {
        let writes = batch.iter().filter_map(|queued| queued.write.as_ref());
        let writes: Vec<&AccountWrite> = writes.collect();
        if writes.is_empty() {
            return Ok(gate_taken);
        }
        let commits: Vec<_> = writes
            .iter()
            .map(|write| (&*write.key, &*write.commit))
            .collect();
        // Pollers come in any order, so that the memory of the gate that one of them
        // brings may be older than the memory that is stored.
        let gate = writes
            .iter()
            .map(|write| &*write.gate)
            .max_by_key(|gate| gate.taken)
            .filter(|gate| gate_taken.is_none_or(|stored| gate.taken > stored));
        self.store().write(&commits, gate, Timestamp::now())?;
        Ok(gate.map(|gate| gate.taken).or(gate_taken))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A transaction that panicked was rolled back.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
