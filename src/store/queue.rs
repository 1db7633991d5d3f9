//! The queue of commits before the file, and of pollers that read their ids.
//!
//! A disk may be slow or hang, so pollers use the file on a thread of its own, which does
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

/// The store, and what waits for it.
#[derive(Debug)]
pub(super) struct WriteQueue {
    store: Mutex<Store>,
    /// The file, for messages.
    path: PathBuf,
    waiting: mpsc::Sender<Queued>,
    disk: Arc<DiskCall>,
}

/// What waits for the store.
enum Queued {
    Write(QueuedWrite),
    /// Reads, and returns how the caller is told.
    Read(Box<dyn FnOnce(&WriteQueue) -> Tell + Send>),
}

/// Tells a caller the outcome. A caller that was dropped needs no answer.
type Tell = Box<dyn FnOnce()>;

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
        let (waiting, queued) = mpsc::channel();
        let queue = Arc::new(Self {
            disk: Arc::new(DiskCall::new(store.path.display().to_string())),
            path: store.path.clone(),
            store: Mutex::new(store),
            waiting,
        });
        // The thread that waits for work does not keep the file open.
        let shared = Arc::downgrade(&queue);
        let thread = thread::Builder::new().name("state".to_owned());
        thread.spawn(move || work(&shared, &queued))?;
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
        self.enqueue_write(Some(write)).await
    }

    /// Waits until all that is in the queue now has succeeded or failed.
    pub(super) async fn flush(&self) {
        // Each failure is told to the caller whose write failed.
        let _ = self.enqueue_write(None).await;
    }

    /// Reads from the store.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Arc<StoreError>> {
        let (done, outcome) = oneshot::channel();
        let read = move |queue: &Self| {
            let read = || queue.disk.run(|| read(&mut queue.store()));
            let outcome = or_panicked("read", &queue.path, read).map_err(Arc::new);
            let tell = move || drop(done.send(outcome));
            Box::new(tell) as Tell
        };
        self.enqueue(Queued::Read(Box::new(read)), outcome).await
    }

    async fn enqueue_write(&self, write: Option<AccountWrite>) -> Result<(), Arc<StoreError>> {
        let (done, outcome) = oneshot::channel();
        let queued = Queued::Write(QueuedWrite { write, done });
        self.enqueue(queued, outcome).await
    }

    async fn enqueue<T>(
        &self,
        queued: Queued,
        outcome: oneshot::Receiver<Result<T, Arc<StoreError>>>,
    ) -> Result<T, Arc<StoreError>> {
        // The thread receives as long as there is a queue.
        let _ = self.waiting.send(queued);
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

/// Returns the outcome of a use of the store. A panic is a failure, so that the thread goes on
/// with what comes next: a transaction was rolled back, and the log has named the panic.
fn or_panicked<T>(
    doing: &'static str,
    path: &Path,
    run: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let error = io::Error::other("a part of the program panicked");
        Err(StoreError::io(doing, path, error))
    })
}

/// Writes and reads until the queue is dropped; all commits that wait in one transaction.
fn work(queue: &Weak<WriteQueue>, queued: &mpsc::Receiver<Queued>) {
    // The uptime at which the stored memory of the gate was taken.
    let mut gate_taken = None;
    while let Ok(first) = queued.recv() {
        let Some(queue) = queue.upgrade() else {
            return;
        };
        let (mut batch, mut reads) = (Vec::new(), Vec::new());
        for queued in std::iter::once(first).chain(queued.try_iter()) {
            match queued {
                Queued::Write(write) => batch.push(write),
                Queued::Read(read) => reads.push(read),
            }
        }
        let read: Vec<Tell> = reads.into_iter().map(|read| read(&queue)).collect();
        let write = || queue.write_batch(&batch, gate_taken);
        let outcome = or_panicked("write", &queue.path, write);
        if let Ok(taken) = &outcome {
            gate_taken = *taken;
        }
        // A caller that is told may close the state.
        drop(queue);
        let outcome = outcome.map(drop).map_err(Arc::new);
        for queued in batch {
            let _ = queued.done.send(outcome.clone());
        }
        for tell in read {
            tell();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_panics_has_failed_and_may_succeed_later() {
        let path = Path::new("state.redb");
        let outcome: Result<(), _> = or_panicked("write", path, || panic!("a defect"));
        let error = outcome.expect_err("a failure");
        assert!(error.is_transient());
        let said = error.to_string();
        assert!(
            said.starts_with("cannot write state.redb: a part of the program panicked"),
            "{said}"
        );
        assert_eq!(or_panicked("write", path, || Ok(5)).expect("a success"), 5);
    }
}
