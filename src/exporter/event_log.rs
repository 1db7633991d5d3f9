//! The event log that all accounts share.

use std::sync::{Arc, Mutex};

use audit_core::outbox::{Content, Outbox, Written};

use crate::{
    config::EventLogSettings,
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

    /// Returns the outbox that an account puts its lines into, and the event log that
    /// writes them.
    pub(super) fn account(
        &self,
        name: Option<Arc<str>>,
        storage: &AccountStorage,
    ) -> Result<(Outbox, EventLog), StoreError> {
        let written = Written::default();
        let outbox = Outbox::new(self.content, name, storage.last_line()?, written.clone());
        let destination = Arc::clone(&self.destination);
        Ok((outbox, EventLog::new(storage.lines(), destination, written)))
    }
}
