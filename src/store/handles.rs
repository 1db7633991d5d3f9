//! The handles by which tasks use the store: [`SharedStore`] for all accounts, and
//! [`AccountStorage`] for the poller of one account.

use std::{
    path::Path,
    sync::{Arc, Weak},
};

use audit_core::{
    account::{Account, Commit},
    event::TypeFilter,
    gate::SavedGate,
    ledger::Ledger,
    outbox::Outbox,
    window::{Ids, Window, WindowSettings},
};
use jiff::Timestamp;

use super::{
    DiskCall, Store, StoreError,
    event_log::StoredLines,
    queue::{AccountWrite, WriteQueue},
};
use crate::poller::Storage;

/// The store of all accounts.
#[derive(Debug, Clone)]
pub struct SharedStore(Arc<WriteQueue>);

/// The part of the store that holds one account.
#[derive(Debug)]
pub(crate) struct AccountStorage {
    queue: Arc<WriteQueue>,
    /// The API key of the account.
    key: Arc<str>,
    /// Tells the event log of new lines; `None` if no event log is kept.
    lines: Option<StoredLines>,
}

impl SharedStore {
    /// Opens the store in `directory`; see [`Store::open`].
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let store = Store::open(directory)?;
        if store.has_lost_one() {
            tracing::warn!(
                "the last write of the state was not whole, so the exporter goes on from the write before it: a crash has cut it off, and nothing of it was shown; but if the file was damaged, counts are lower than they were, which Prometheus takes for a reset"
            );
        }
        let path = store.path.clone();
        let queue = WriteQueue::start(store)
            .map_err(|error| StoreError::io("start a thread for", &path, error))?;
        Ok(Self(queue))
    }

    /// Returns the storage of the account that has this API key.
    pub(crate) fn account(&self, key: &str) -> AccountStorage {
        AccountStorage {
            queue: Arc::clone(&self.0),
            key: key.into(),
            lines: None,
        }
    }

    /// Returns a reference that does not keep the state file open.
    pub(super) fn downgrade(&self) -> Weak<WriteQueue> {
        Arc::downgrade(&self.0)
    }

    /// Returns the call by which the thread of the store waits for the disk.
    pub(crate) fn disk(&self) -> &Arc<DiskCall> {
        self.0.disk()
    }

    /// Reads the memory of the gate; see [`Store::load_gate`].
    pub(crate) fn load_gate(&self, now: Timestamp) -> Result<SavedGate, StoreError> {
        self.0.store().load_gate(now)
    }

    /// Closes the file; see [`Store::close`]. Waits for the disk.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be written.
    pub fn close(&self) -> Result<(), StoreError> {
        self.0.store().close()
    }

    /// Waits until every commit that is in the queue now is written, or has failed.
    /// After that, no commit comes from a poller that ended before the call.
    pub async fn flush(&self) {
        self.0.flush().await;
    }
}

impl AccountStorage {
    /// Returns the storage that tells the event log of new lines.
    pub(crate) fn with_event_log(mut self, lines: StoredLines) -> Self {
        self.lines = Some(lines);
        self
    }

    /// Reads the account without its ids, which [`Storage::ids`] reads; `None` if the account
    /// was never stored.
    pub(crate) fn load(
        &self,
        settings: WindowSettings,
        max_series: usize,
    ) -> Result<Option<Account>, StoreError> {
        let ledger = Ledger::new(max_series);
        let saved = self.queue.store().load_account(&self.key, ledger)?;
        Ok(saved.map(|saved| Account {
            window: Window::restore(settings, saved.window),
            ledger: saved.ledger,
            stage: saved.stage,
            outbox: Outbox::default(),
            filter: TypeFilter::default(),
        }))
    }
}

impl Storage for AccountStorage {
    type Error = Arc<StoreError>;

    async fn ids(&mut self, mut ids: Ids) -> Result<Ids, Arc<StoreError>> {
        let key = Arc::clone(&self.key);
        let read = move |store: &mut Store| {
            store.load_ids(&key, |stored| ids.restore(stored))?;
            Ok(ids)
        };
        self.queue.read(read).await
    }

    async fn commit(
        &mut self,
        commit: Arc<Commit>,
        gate: Arc<SavedGate>,
    ) -> Result<(), Arc<StoreError>> {
        let last_line = commit.lines.new.last().map(|line| line.number);
        let key = Arc::clone(&self.key);
        tracing::trace!("commit");
        let outcome = self.queue.write(AccountWrite { key, commit, gate }).await;
        tracing::trace!("commit ended");
        if let (Some(lines), Some(last), Ok(())) = (&self.lines, last_line, &outcome) {
            lines.tell(last);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::*;
    use audit_core::gate::{SavedScraper, ScraperId};

    const SETTINGS: WindowSettings = WindowSettings {
        lookback: jiff::SignedDuration::from_mins(15),
        retention: jiff::SignedDuration::from_hours(25),
    };

    fn new_account() -> Account {
        let began = Timestamp::UNIX_EPOCH;
        Account::new(SETTINGS, began, began, 10)
    }

    /// Returns the state of the gate after this many seconds: one more scraper in each.
    fn gate(seconds: u64) -> SavedGate {
        let scraper = |id| SavedScraper {
            id: ScraperId(id),
            product: 1,
            target: 0,
            interval: Some(Duration::from_secs(15)),
            unseen_for: Duration::ZERO,
        };
        SavedGate {
            was_scraped: true,
            scrapers: (0..seconds).map(scraper).collect(),
            taken: Duration::from_secs(seconds),
            ..SavedGate::default()
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
