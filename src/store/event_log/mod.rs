//! The event log: the lines that were stored with the counts of all accounts, written in
//! order by one thread.
//!
//! Counting never waits for the event log. If the log cannot be written or hangs, its lines
//! wait in the state. How far the log is written is stored by the next commit of an account,
//! and when the process ends, so that the lines up to there are removed from the state. The
//! lines of an account that is no longer configured are written all the same.

mod destination;
mod writer;

pub(crate) use destination::{Destination, LogFile};

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use audit_core::outbox::Written;
use tokio::sync::oneshot;

use super::{SharedStore, StoreError, disk_call::DiskCall, queue::WriteQueue};
use crate::metrics::{EventLogMetrics, LineNumbers};
use writer::Writer;

/// The reason why lines cannot be written.
#[derive(Debug, thiserror::Error)]
enum EventLogError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("standard output cannot be written: {0}")]
    Standard(io::Error),
    #[error("{} cannot be written: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

/// The event log of all accounts. The thread that writes it ends with this value.
#[derive(Debug)]
pub(crate) struct EventLog(Arc<Shared>);

/// The part that the event log and its thread share.
#[derive(Debug)]
struct Shared {
    /// The thread does not keep the state file open.
    store: Weak<WriteQueue>,
    tasks: Mutex<Tasks>,
    changed: Condvar,
    disk: Arc<DiskCall>,
}

/// What the thread has to do.
#[derive(Debug, Default)]
struct Tasks {
    /// The accounts with lines, by API key.
    accounts: BTreeMap<Arc<str>, LoggedAccount>,
    /// `true` if lines may wait.
    lines_stored: bool,
    /// `true` if lines of accounts that are not in `accounts` may wait.
    look_for_others: bool,
    /// `true` once the thread has to end.
    is_ending: bool,
    /// Is told once the thread has ended in order.
    ended: Option<oneshot::Sender<()>>,
}

/// An account whose lines are written.
#[derive(Debug, Clone, Default)]
struct LoggedAccount {
    /// The number of the last line that is stored.
    stored: Arc<AtomicU64>,
    written: Written,
    /// `None` for an account that is not configured.
    metrics: Option<EventLogMetrics>,
}

/// Tells the event log of lines that an account has stored.
#[derive(Debug)]
pub(crate) struct StoredLines {
    last: Arc<AtomicU64>,
    log: Arc<Shared>,
}

/// The place of an account in the event log.
#[derive(Debug)]
pub(crate) struct AccountLines {
    key: Arc<str>,
    /// The number of the last line that is stored.
    pub(crate) last: u64,
    /// The number of the last line that is written.
    pub(crate) written: Written,
    /// The size of the lines that the state holds, in bytes.
    pub(crate) waiting_bytes: u64,
    stored: Arc<AtomicU64>,
}

impl EventLog {
    /// Starts the thread that writes the stored lines to `destination`, also those of
    /// accounts that are not configured.
    pub(crate) fn start(store: &SharedStore, destination: Destination) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            store: store.downgrade(),
            tasks: Mutex::new(Tasks {
                look_for_others: true,
                ..Tasks::default()
            }),
            changed: Condvar::new(),
            disk: Arc::new(DiskCall::new(destination.name())),
        });
        Writer::start(Arc::clone(&shared), destination)?;
        Ok(Self(shared))
    }

    /// Returns the place of the account that has this API key. Its commits have to be stored,
    /// and no other may come before [`EventLog::begin`]. Waits for the disk.
    pub(crate) fn load(&self, key: &str) -> Result<AccountLines, StoreError> {
        let (waiting, waiting_bytes) = self.0.waiting_in_state(key)?;
        let mut tasks = self.0.tasks();
        if waiting.is_some() {
            tasks.account(key, waiting);
        }
        let LoggedAccount {
            stored, written, ..
        } = tasks.accounts.get(key).cloned().unwrap_or_default();
        Ok(AccountLines {
            key: key.into(),
            last: stored.load(Ordering::Acquire),
            written,
            waiting_bytes,
            stored,
        })
    }

    /// Writes the lines of an account from now on; `metrics` show how that goes. Returns the
    /// handle by which the account tells of lines.
    pub(crate) fn begin(
        &self,
        lines: AccountLines,
        metrics: Option<&EventLogMetrics>,
    ) -> StoredLines {
        let AccountLines {
            key,
            stored,
            written,
            ..
        } = lines;
        if let Some(metrics) = metrics {
            metrics.follow(LineNumbers {
                stored: Arc::clone(&stored),
                written: written.clone(),
            });
        }
        let account = LoggedAccount {
            stored: Arc::clone(&stored),
            written,
            metrics: metrics.cloned(),
        };
        self.0.tasks().accounts.insert(key, account);
        self.0.wake();
        StoredLines {
            last: stored,
            log: Arc::clone(&self.0),
        }
    }

    /// Forgets the metrics of all accounts except those that have these API keys, once the
    /// last commits of all others are stored. Lines of the others that wait are written.
    pub(crate) fn keep_accounts(&self, keys: &BTreeSet<&str>) {
        let mut tasks = self.0.tasks();
        for (key, account) in &mut tasks.accounts {
            if !keys.contains(&**key) {
                account.metrics = None;
            }
        }
        tasks.look_for_others = true;
        drop(tasks);
        self.0.wake();
    }

    /// Writes all lines that wait, and stores how far the log is written, so that no line is
    /// written twice. Nothing is written after that. Takes `at_most` this long, since the
    /// log may hang; returns `false` if it did.
    pub(crate) async fn end(&self, at_most: Duration) -> bool {
        let (ended, end) = oneshot::channel();
        {
            let mut tasks = self.0.tasks();
            tasks.ended = Some(ended);
            tasks.look_for_others = true;
            tasks.is_ending = true;
        }
        self.0.wake();
        let outcome = tokio::time::timeout(at_most, end).await;
        outcome.is_ok_and(|ended| ended.is_ok())
    }

    /// Returns the call by which the thread waits for the disk of the log.
    pub(crate) fn disk(&self) -> &Arc<DiskCall> {
        &self.0.disk
    }

    /// Counts a failure for each account whose lines wait.
    pub(crate) fn count_failure(&self) {
        self.0.count_failure();
    }
}

impl Drop for EventLog {
    fn drop(&mut self) {
        self.0.tasks().is_ending = true;
        self.0.wake();
    }
}

impl Shared {
    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        // Each change of the tasks is one assignment.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.tasks().lines_stored = true;
        self.changed.notify_one();
    }

    fn count_failure(&self) {
        for account in self.tasks().accounts.values() {
            if let (Some(metrics), true) = (&account.metrics, account.pending() > 0) {
                metrics.failures.inc();
            }
        }
    }

    /// Returns the numbers of the first and of the last line of an account that the state
    /// holds, and the size of all of them in bytes.
    fn waiting_in_state(&self, key: &str) -> Result<(Option<(u64, u64)>, u64), StoreError> {
        let Some(store) = self.store.upgrade() else {
            return Ok((None, 0));
        };
        let mut store = store.store();
        let Some(first) = store.lines(key, 0, 0)?.first().map(|line| line.number) else {
            return Ok((None, 0));
        };
        let last = store.last_line(key)?;
        Ok((Some((first, last)), store.line_bytes(key)?))
    }
}

impl Tasks {
    /// Returns the account that has this API key, of which the state holds the lines of these
    /// numbers.
    fn account(&mut self, key: &str, waiting: Option<(u64, u64)>) -> &mut LoggedAccount {
        let is_new = !self.accounts.contains_key(key);
        let account = self.accounts.entry(key.into()).or_default();
        if let Some((first, last)) = waiting {
            if is_new {
                // Lines are removed once they are written, so those before the first are.
                account.written.set(first.saturating_sub(1));
            }
            account.stored.fetch_max(last, Ordering::AcqRel);
        }
        account
    }
}

impl LoggedAccount {
    /// Returns the number of lines that are stored and not written.
    fn pending(&self) -> u64 {
        let written = self.written.get();
        self.stored.load(Ordering::Acquire).saturating_sub(written)
    }
}

impl StoredLines {
    /// Tells the event log that the lines up to this number are stored.
    pub(super) fn tell(&self, last: u64) {
        self.last.fetch_max(last, Ordering::AcqRel);
        self.log.wake();
    }
}
