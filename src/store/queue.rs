//! The queue of commits before the file.
//!
//! A disk may be slow or hang, so commits are written on a thread of their own, which does
//! nothing else: neither scrapes nor reloads wait for it, and nothing else can take the
//! thread away from commits. All commits that wait go into one transaction, since each
//! transaction waits for the disk once.

use std::{
    future::pending,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc},
    thread,
    time::Duration,
};

use audit_core::{account::Commit, gate::SavedGate};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{Store, StoreError, disk_call::DiskCall};

/// The store, and the commits that wait to be written to it.
#[derive(Debug)]
pub(super) struct WriteQueue {
    store: Mutex<Store>,
    /// The file, for messages.
    path: PathBuf,
    waiting: mpsc::Sender<QueuedWrite>,
    disk: Arc<DiskCall>,
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
    /// Starts the thread that writes to `store`. It ends with the queue.
    pub(super) fn start(store: Store) -> io::Result<Arc<Self>> {
        let (waiting, commits) = mpsc::channel();
        let queue = Arc::new(Self {
            disk: Arc::new(DiskCall::new(store.path.display().to_string())),
            path: store.path.clone(),
            store: Mutex::new(store),
            waiting,
        });
        // The thread that waits for commits does not keep the file open.
        let shared = Arc::downgrade(&queue);
        let thread = thread::Builder::new().name("state".to_owned());
        thread.spawn(move || write_commits(&shared, &commits))?;
        Ok(queue)
    }

    /// Returns the store itself, for reading. Waits for a transaction that is being
    /// written.
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        // A transaction that panicked was rolled back.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the call by which the thread waits for the disk.
    pub(super) fn disk(&self) -> &Arc<DiskCall> {
        &self.disk
    }

    /// Waits until `write` is on the disk.
    pub(super) async fn write(&self, write: AccountWrite) -> Result<(), Arc<StoreError>> {
        self.enqueue(Some(write)).await
    }

    /// Waits until every write that is in the queue now has succeeded or failed.
    pub(super) async fn flush(&self) {
        // Each failure is told to the caller whose write failed.
        let _ = self.enqueue(None).await;
    }

    async fn enqueue(&self, write: Option<AccountWrite>) -> Result<(), Arc<StoreError>> {
        let (done, outcome) = oneshot::channel();
        // The thread receives as long as there is a queue.
        let _ = self.waiting.send(QueuedWrite { write, done });
        match outcome.await {
            Ok(outcome) => outcome,
            // The process is ending, and this task with it.
            Err(_) => pending().await,
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
        self.disk
            .run(|| self.store().write(&commits, gate, Timestamp::now()))?;
        Ok(gate.map(|gate| gate.taken).or(gate_taken))
    }
}

/// Returns the outcome of a write. A panic is a failure, so that the thread goes on with the
/// next commits: the transaction was rolled back, and the log has named the panic.
fn or_panicked<T>(
    path: &Path,
    write: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|_| {
        let error = io::Error::other("a part of the program panicked");
        Err(StoreError::io("write", path, error))
    })
}

/// Writes commits until the queue is dropped; all that wait in one transaction.
fn write_commits(queue: &Weak<WriteQueue>, commits: &mpsc::Receiver<QueuedWrite>) {
    // The uptime at which the stored memory of the gate was taken.
    let mut gate_taken = None;
    while let Ok(first) = commits.recv() {
        let Some(queue) = queue.upgrade() else {
            return;
        };
        let batch: Vec<_> = std::iter::once(first).chain(commits.try_iter()).collect();
        let outcome = or_panicked(&queue.path, || queue.write_batch(&batch, gate_taken));
        if let Ok(taken) = &outcome {
            gate_taken = *taken;
        }
        drop(queue);
        let outcome = outcome.map(drop).map_err(Arc::new);
        for queued in batch {
            // A caller that was dropped needs no answer.
            let _ = queued.done.send(outcome.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_panics_has_failed_and_may_succeed_later() {
        let path = Path::new("state.redb");
        let outcome: Result<(), _> = or_panicked(path, || panic!("a defect"));
        let error = outcome.expect_err("a failure");
        assert!(error.is_transient());
        let said = error.to_string();
        assert!(
            said.starts_with("cannot write state.redb: a part of the program panicked"),
            "{said}"
        );
        assert_eq!(or_panicked(path, || Ok(5)).expect("a success"), 5);
    }
}
