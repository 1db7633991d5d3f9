//! The API, the storage and the clock as a poller sees them. The simulation in
//! `tests/million` implements these traits too, so that it runs the same poller as the
//! program.

use std::{
    error::Error,
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};

use audit_core::{account::Commit, event::EventType, gate::SavedGate, window::Ids};
use jiff::Timestamp;

use crate::api::{ApiAnswer, ApiError, paging::PageSource};

/// The Audit API of one account.
pub trait Api: PageSource {
    /// Requests the vendor's list of event types.
    fn types(&self) -> impl Future<Output = Result<ApiAnswer<Vec<EventType>>, ApiError>> + Send;

    /// Returns the API key, which events name as their `account_id`; `None` if the key is
    /// not known.
    fn api_key(&self) -> Option<String> {
        None
    }

    /// Waits until requests that failed are worth another try before their wait is over: the
    /// secret that was rejected has been replaced, or a reload asks for it.
    fn retry_early(&self) -> impl Future<Output = ()> + Send {
        pending()
    }
}

/// The storage of one account's counts.
pub trait Storage: Send {
    /// The reason why a commit failed.
    type Error: Error + Send + Sync + 'static;

    /// Reads the ids that were stored into `ids`, which has none.
    fn ids(&mut self, ids: Ids) -> impl Future<Output = Result<Ids, Self::Error>> + Send;

    /// Stores `commit` and `gate` in one transaction. The caller may store a commit again
    /// after an error.
    fn commit(
        &mut self,
        commit: Arc<Commit>,
        gate: Arc<SavedGate>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// The clocks of this machine.
pub trait Clock: Send + Sync {
    /// Returns the time of the wall clock, which may be wrong and may jump.
    fn local(&self) -> Timestamp;

    /// Returns the time since the process started, which never falls.
    fn uptime(&self) -> Duration;

    /// Waits until [`Clock::uptime`] has reached `uptime`.
    fn sleep_until(&self, uptime: Duration) -> impl Future<Output = ()> + Send;
}
