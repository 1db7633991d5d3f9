//! The store as pollers use it: off the threads that answer scrapes, since a disk
//! may take its time, and with one transaction for all commits that wait for it,
//! since each waits for the disk once.

use std::{
    future::pending,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit_core::{
    account::{Account, Commit},
    event::TypeFilter,
    gate::GateMemory,
    ledger::Ledger,
    outbox::{Line, Outbox},
    window::{Remembered, Window, WindowSettings},
};
use jiff::Timestamp;
use tokio::{
    sync::{Notify, oneshot},
    task::spawn_blocking,
};

use crate::{
    poller::Storage,
    store::{Store, StoreError},
};

/// The store of all accounts.
#[derive(Debug, Clone)]
pub struct SharedStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Mutex<Store>,
    queue: Mutex<Queue>,
}

/// What waits for the disk.
#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Someone is at work on it.
    writing: bool,
    /// When what the store holds of the gate was taken.
    gate_taken: Option<Duration>,
}

#[derive(Debug)]
struct Waiting {
    /// `None` for one who only waits until those before it are stored.
    job: Option<Job>,
    done: oneshot::Sender<Result<(), Arc<StoreError>>>,
}

#[derive(Debug)]
struct Job {
    key: Arc<str>,
    commit: Arc<Commit>,
    gate: Arc<GateMemory>,
}

/// One account in the store.
#[derive(Debug)]
pub struct StoredAccount {
    shared: Arc<Shared>,
    key: Arc<str>,
    /// Lines of the event log were stored.
    lines: Arc<Notify>,
}

/// The lines of an account's event log, as they are stored.
#[derive(Debug, Clone)]
pub struct StoredLines {
    shared: Arc<Shared>,
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
        lock(&self.shared.store).lines(&self.key, after, most)
    }

    /// Waits until more were stored.
    pub async fn more(&self) {
        self.stored.notified().await;
    }
}

impl SharedStore {
    /// Opens the store.
    ///
    /// # Errors
    /// [`StoreError`], with what to do.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Shared {
            store: Mutex::new(Store::open(directory)?),
            queue: Mutex::default(),
        })))
    }

    /// The account that has this API key.
    #[must_use]
    pub fn account(&self, key: &str) -> StoredAccount {
        StoredAccount {
            shared: Arc::clone(&self.0),
            key: key.into(),
            lines: Arc::default(),
        }
    }

    /// Who scraped, when last known.
    ///
    /// # Errors
    /// [`StoreError`], with what to do.
    pub fn load_gate(&self, now: Timestamp) -> Result<GateMemory, StoreError> {
        lock(&self.0.store).load_gate(now)
    }

    /// Waits until everything that waits for the disk now is stored, or has failed:
    /// then no commit of a poller that has ended comes any more.
    pub async fn flush(&self) {
        // A failure is told to whoever committed.
        let _ = self.0.enqueue(None).await;
    }
}

impl Shared {
    /// Waits until it is done with.
    async fn enqueue(self: &Arc<Self>, job: Option<Job>) -> Result<(), Arc<StoreError>> {
        let (done, outcome) = oneshot::channel();
        let is_first = {
            let mut queue = lock(&self.queue);
            queue.waiting.push(Waiting { job, done });
            !std::mem::replace(&mut queue.writing, true)
        };
        if is_first {
            let shared = Arc::clone(self);
            spawn_blocking(move || shared.write());
        }
        match outcome.await {
            Ok(outcome) => outcome,
            // The runtime is ending, and this task with it.
            Err(_) => pending().await,
        }
    }

    /// Writes until nothing waits.
    fn write(&self) {
        loop {
            let (batch, gate_taken) = {
                let mut queue = lock(&self.queue);
                if queue.waiting.is_empty() {
                    queue.writing = false;
                    return;
                }
                (std::mem::take(&mut queue.waiting), queue.gate_taken)
            };
            let outcome = self.write_batch(&batch, gate_taken);
            if let Ok(taken) = &outcome {
                lock(&self.queue).gate_taken = *taken;
            }
            let outcome = outcome.map(drop).map_err(Arc::new);
            for waiting in batch {
                // Who has gone away needs no answer.
                let _ = waiting.done.send(outcome.clone());
            }
        }
    }

    /// All of it in one transaction; says when what is now stored of the gate was
    /// taken.
    fn write_batch(
        &self,
        batch: &[Waiting],
        gate_taken: Option<Duration>,
    ) -> Result<Option<Duration>, StoreError> {
        let jobs: Vec<&Job> = batch.iter().filter_map(|one| one.job.as_ref()).collect();
        if jobs.is_empty() {
            return Ok(gate_taken);
        }
        let commits: Vec<_> = jobs.iter().map(|job| (&*job.key, &*job.commit)).collect();
        // Pollers come in any order: what one has seen of the gate may be older than
        // what another has stored.
        let gate = jobs
            .iter()
            .map(|job| &*job.gate)
            .max_by_key(|gate| gate.taken);
        let gate = gate.filter(|gate| gate_taken.is_none_or(|stored| gate.taken > stored));
        lock(&self.store).commit(&commits, gate, Timestamp::now())?;
        Ok(gate.map(|gate| gate.taken).or(gate_taken))
    }
}

impl StoredAccount {
    /// The lines of the event log.
    #[must_use]
    pub fn lines(&self) -> StoredLines {
        StoredLines {
            shared: Arc::clone(&self.shared),
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
        lock(&self.shared.store).last_line(&self.key)
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
        let saved = lock(&self.shared.store).load_account(&self.key, ledger, window)?;
        Ok(saved.map(|saved| Account {
            window: saved.window,
            ledger: saved.ledger,
            stage: saved.stage,
            outbox: Outbox::default(),
            filter: TypeFilter::default(),
        }))
    }
}

impl Storage for StoredAccount {
    type Error = Arc<StoreError>;

    async fn commit(
        &mut self,
        commit: Arc<Commit>,
        gate: Arc<GateMemory>,
    ) -> Result<(), Arc<StoreError>> {
        let has_lines = !commit.lines.new.is_empty();
        let key = Arc::clone(&self.key);
        tracing::trace!("commit");
        let outcome = self.shared.enqueue(Some(Job { key, commit, gate })).await;
        tracing::trace!("commit ended");
        if has_lines && outcome.is_ok() {
            self.lines.notify_one();
        }
        outcome
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A transaction that panicked was rolled back.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::*;
    use audit_core::gate::{KnownScraper, ScraperId};

    const SETTINGS: WindowSettings = WindowSettings {
        lookback: jiff::SignedDuration::from_mins(15),
        retention: jiff::SignedDuration::from_hours(25),
    };

    fn new_account() -> Account {
        let began = Timestamp::UNIX_EPOCH;
        Account::new(SETTINGS, began, began, 10)
    }

    /// What the gate knew after so many seconds: one more scraper in each.
    fn gate(seconds: u64) -> GateMemory {
        let scraper = |id| KnownScraper {
            id: ScraperId(id),
            interval: Duration::from_secs(15),
            unseen_for: Duration::ZERO,
        };
        GateMemory {
            begun: true,
            scrapers: (0..seconds).map(scraper).collect(),
            taken: Duration::from_secs(seconds),
        }
    }

    async fn commit(store: &SharedStore, key: &str, seconds: u64) {
        let gate = gate(seconds);
        let open = audit_core::gate::Gate::new(audit_core::gate::ScrapeInterval::Off, &gate);
        let commit = new_account().prepare(&open, Duration::ZERO);
        let stored = store.account(key).commit(commit.into(), gate.into()).await;
        stored.expect("it is stored");
    }

    fn scrapers(store: &SharedStore) -> usize {
        let gate = store.load_gate(Timestamp::now()).expect("a gate");
        gate.scrapers.len()
    }

    #[tokio::test]
    async fn what_an_account_has_seen_of_the_gate_does_not_undo_what_another_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SharedStore::open(folder.path()).expect("a store");
        for (seconds, expected) in [(5, 5), (3, 5), (6, 6)] {
            commit(&store, "one", seconds).await;
            assert_eq!(scrapers(&store), expected);
        }
    }

    #[tokio::test]
    async fn commits_of_many_accounts_at_once_are_all_stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SharedStore::open(folder.path()).expect("a store");
        let keys: Vec<String> = (0..200).map(|number| format!("key-{number}")).collect();
        // The later they come, the older is what they have seen of the gate.
        let commits = keys.iter().zip((1..=200).rev());
        join_all(commits.map(|(key, seconds)| commit(&store, key, seconds))).await;
        store.flush().await;
        for key in &keys {
            let stored = store.account(key).load(SETTINGS, 10).expect("it is read");
            assert!(stored.is_some(), "{key}");
        }
        assert_eq!(scrapers(&store), 200);
    }
}
