//! The event log that all accounts share.

use std::sync::{Arc, Mutex};

use audit_core::outbox::{Content, Outbox, Written};

use crate::{
    config::EventLogSettings,
    metrics::{EventLogMetrics, LineNumbers},
    store::{
        AccountStorage, StoreError,
        event_log::{Destination, EventLog, LogFile},
    },
};

/// The destination of the event log of all accounts, and the fields that it contains.
#[derive(Debug)]
pub(super) struct SharedEventLog {
    content: Content,
    destination: Arc<Mutex<Destination>>,
}

impl SharedEventLog {
    pub(super) fn new(settings: &EventLogSettings) -> Self {
        let destination = match &settings.path {
            Some(path) => Destination::File(LogFile::new(path.clone())),
            None => Destination::Standard,
        };
        Self {
            content: if settings.personal_data {
                Content::Everything
            } else {
                Content::Impersonal
            },
            destination: Arc::new(Mutex::new(destination)),
        }
    }

    /// Returns the outbox that an account puts its lines into, the event log that writes
    /// them, and the numbers that `metrics` have to follow once the log runs.
    pub(super) fn account(
        &self,
        name: Option<Arc<str>>,
        storage: &AccountStorage,
        metrics: &EventLogMetrics,
    ) -> Result<(Outbox, EventLog, LineNumbers), StoreError> {
        let (last, lines) = (storage.last_line()?, storage.lines());
        let written = Written::default();
        // Lines are removed once they are written, so those before the first are.
        if let Some(first) = lines.after(0, 0)?.first() {
            written.set(first.number.saturating_sub(1));
        }
        let numbers = LineNumbers {
            stored: storage.last_stored(),
            written: written.clone(),
        };
        let outbox = Outbox::new(self.content, name, last, written.clone());
        let destination = Arc::clone(&self.destination);
        let log = EventLog::new(lines, destination, written, metrics.clone());
        Ok((outbox, log, numbers))
    }
}
