//! The thread that writes the event log.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use audit_core::outbox::Written;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::oneshot;

use super::{Destination, EventLogError, Shared, Tasks};

/// The highest number of bytes that are written at once, except for a longer line. The
/// accounts take turns.
const BATCH_BYTES: usize = 256 * 1024;
/// The wait after the first of several failures in a row.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest wait between two failures.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Writes the stored lines of all accounts.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    destination: Destination,
    /// `true` since a failure.
    is_failing: bool,
    waits: ExponentialBackoff,
}

/// Lines of an account that wait to be written.
struct Pending {
    key: Arc<str>,
    stored: u64,
    written: Written,
}

/// Returns the waits after failures in a row; each is twice as long as the last.
fn waits_after_failures() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_RETRY)
        .with_max_delay(LONGEST_RETRY)
        .without_max_times()
        .build()
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(shared: Arc<Shared>, destination: Destination) -> io::Result<()> {
        let writer = Self {
            shared,
            destination,
            is_failing: false,
            waits: waits_after_failures(),
        };
        let thread = thread::Builder::new().name("event log".to_owned());
        thread.spawn(move || writer.run()).map(drop)
    }

    fn run(mut self) {
        let mut pause = Duration::ZERO;
        loop {
            let (is_ending, ended) = self.shared.wait_for_task(pause);
            let outcome = self.write_stored();
            let removed = outcome.and_then(|()| self.remove_written(is_ending));
            pause = self.record(removed);
            if is_ending {
                if let Some(ended) = ended {
                    // The process may no longer wait.
                    let _ = ended.send(());
                }
                return;
            }
        }
    }

    /// Logs and counts how a run has ended. Returns the wait until the next one.
    fn record(&mut self, outcome: Result<(), EventLogError>) -> Duration {
        let Err(error) = outcome else {
            if std::mem::take(&mut self.is_failing) {
                tracing::info!("the event log is written again, from where it stopped");
            }
            self.waits = waits_after_failures();
            return Duration::ZERO;
        };
        self.shared.count_failure();
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(%error, "the event log cannot be written; counting goes on, and the lines wait in the state");
        }
        self.waits.next().unwrap_or(LONGEST_RETRY)
    }

    /// Writes all stored lines, a batch of each account in turn.
    fn write_stored(&mut self) -> Result<(), EventLogError> {
        self.shared.look_for_others()?;
        loop {
            let pending = self.shared.tasks().pending();
            if pending.is_empty() {
                return Ok(());
            }
            for account in pending {
                self.write_batch(&account)?;
            }
        }
    }

    fn write_batch(&mut self, account: &Pending) -> Result<(), EventLogError> {
        let Some(store) = self.shared.store.upgrade() else {
            account.written.set(account.stored);
            return Ok(());
        };
        let after = account.written.get();
        let lines = store.store().lines(&account.key, after, BATCH_BYTES)?;
        drop(store);
        let Some(last) = lines.last() else {
            // The lines were removed when they had been written.
            account.written.set(account.stored);
            return Ok(());
        };
        let Self {
            shared,
            destination,
            ..
        } = self;
        shared.disk.run(|| destination.write(&lines))?;
        account.written.set(last.number);
        Ok(())
    }

    /// Removes the written lines of accounts that are not configured from the state, and at
    /// the end those of all accounts: no later commit of theirs does.
    fn remove_written(&self, is_ending: bool) -> Result<(), EventLogError> {
        let tasks = self.shared.tasks();
        let is_last = |account: &super::LoggedAccount| is_ending || account.metrics.is_none();
        let accounts = tasks.accounts.iter();
        let accounts = accounts.filter(|(_, account)| is_last(account));
        let written = accounts.map(|(key, account)| (Arc::clone(key), account.written.get()));
        let written: Vec<_> = written.filter(|(_, number)| *number > 0).collect();
        drop(tasks);
        if let (Some(store), false) = (self.shared.store.upgrade(), written.is_empty()) {
            store.store().remove_lines(&written)?;
        }
        let mut tasks = self.shared.tasks();
        tasks
            .accounts
            .retain(|_, account| account.metrics.is_some() || account.pending() > 0);
        Ok(())
    }
}

impl Shared {
    /// Waits for `pause`, or until lines are stored if there is no pause. Returns `true` if
    /// the thread has to end, which ends any wait, and whom to tell of the end.
    fn wait_for_task(&self, pause: Duration) -> (bool, Option<oneshot::Sender<()>>) {
        let tasks = self.tasks();
        let mut tasks = if pause.is_zero() {
            let idle = |tasks: &mut Tasks| !tasks.lines_stored && !tasks.is_ending;
            let waited = self.changed.wait_while(tasks, idle);
            waited.unwrap_or_else(std::sync::PoisonError::into_inner)
        } else {
            let on = |tasks: &mut Tasks| !tasks.is_ending;
            let waited = self.changed.wait_timeout_while(tasks, pause, on);
            waited.unwrap_or_else(std::sync::PoisonError::into_inner).0
        };
        tasks.lines_stored = false;
        (tasks.is_ending, tasks.ended.take())
    }

    /// Adds the accounts that are not configured and have lines in the state.
    fn look_for_others(&self) -> Result<(), EventLogError> {
        if !self.tasks().look_for_others {
            return Ok(());
        }
        let Some(store) = self.store.upgrade() else {
            return Ok(());
        };
        let waiting = store.store().waiting_lines()?;
        let mut tasks = self.tasks();
        for (key, first, last) in waiting {
            tasks.account(&key, Some((first, last)));
        }
        tasks.look_for_others = false;
        Ok(())
    }
}

impl Tasks {
    fn pending(&self) -> Vec<Pending> {
        let accounts = self.accounts.iter();
        let pending = accounts.filter(|(_, account)| account.pending() > 0);
        let pending = pending.map(|(key, account)| Pending {
            key: Arc::clone(key),
            stored: account.stored.load(Ordering::Acquire),
            written: account.written.clone(),
        });
        pending.collect()
    }
}
