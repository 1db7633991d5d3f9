//! The event log that all accounts share.

use std::{collections::BTreeSet, io, sync::Arc, time::Duration};

use audit_core::outbox::{Content, Outbox, WaitingLimit};

use crate::{
    config::EventLogSettings,
    metrics::AccountMetrics,
    store::{
        AccountStorage, DiskCall, SharedStore, StoreError,
        event_log::{AccountLines, Destination, EventLog, LogFile},
    },
};

/// The most that waits in the state of the lines of an account: usual lines of that number are
/// about 30 MB, and long ones reach the size. Lines beyond it are lost, so that a log that
/// cannot be written fills no disk.
const MAX_WAITING: WaitingLimit = WaitingLimit {
    lines: 100_000,
    bytes: 512 * 1024 * 1024,
};
/// The longest that the end of the process waits for the event log.
const LONGEST_END: Duration = Duration::from_secs(2);

/// The event log of all accounts, and the fields that it contains.
#[derive(Debug)]
pub(super) struct SharedEventLog {
    content: Content,
    log: EventLog,
}

impl SharedEventLog {
    /// Starts the thread that writes the event log.
    pub(super) fn start(settings: &EventLogSettings, store: &SharedStore) -> io::Result<Self> {
        let destination = match &settings.path {
            Some(path) => Destination::File(LogFile::new(path.clone())),
            None => Destination::Standard,
        };
        Ok(Self {
            content: if settings.personal_data {
                Content::Everything
            } else {
                Content::Impersonal
            },
            log: EventLog::start(store, destination)?,
        })
    }

    /// See [`EventLog::load`].
    pub(super) fn load(&self, key: &str) -> Result<AccountLines, StoreError> {
        self.log.load(key)
    }

    /// Returns the outbox that the account of `lines` puts its lines into, and the `storage`
    /// that tells the event log of them. `metrics` show how it goes from now on.
    pub(super) fn account(
        &self,
        lines: AccountLines,
        name: Option<Arc<str>>,
        storage: AccountStorage,
        metrics: &AccountMetrics,
    ) -> (Outbox, AccountStorage) {
        let outbox = Outbox::new(self.content, name, lines.last, lines.written.clone());
        let outbox = outbox.with_limit(MAX_WAITING, lines.waiting_bytes);
        let stored = self.log.begin(lines, metrics.event_log.as_ref());
        (outbox, storage.with_event_log(stored))
    }

    /// See [`EventLog::keep_accounts`].
    pub(super) fn keep_accounts(&self, keys: &BTreeSet<&str>) {
        self.log.keep_accounts(keys);
    }

    /// Writes what waits, and stores how far the log is written; see [`EventLog::end`].
    pub(super) async fn end(&self) {
        if !self.log.end(LONGEST_END).await {
            let file = self.log.disk().file();
            tracing::warn!(
                file,
                "the event log did not answer at the end; its lines wait in the state, and the last ones may be written twice"
            );
        }
    }

    /// Returns the call by which the event log waits for its disk.
    pub(super) fn disk(&self) -> Arc<DiskCall> {
        Arc::clone(self.log.disk())
    }

    /// See [`EventLog::count_failure`].
    pub(super) fn count_failure(&self) {
        self.log.count_failure();
    }
}
