//! What a poller works with, as far as its work depends on it. The simulation in
//! `tests/million` implements the same traits, so that the poller that is simulated is
//! the poller that ships.

use std::{error::Error, future::Future, sync::Arc, time::Duration};

use audit_core::{account::Commit, event::EventType, gate::SavedGate};
use jiff::Timestamp;

use crate::api::{ApiAnswer, ApiError, paging::PageSource};

/// The Audit API of one account.
pub trait Api: PageSource {
    /// Asks for the event types that the vendor names.
    fn types(&self) -> impl Future<Output = Result<ApiAnswer<Vec<EventType>>, ApiError>> + Send;
}

/// Where the counts of one account are kept.
pub trait Storage: Send {
    /// Why a commit failed.
    type Error: Error + Send + Sync + 'static;

    /// Stores all of `commit` and `gate` in one transaction. A commit that failed may
    /// be stored again.
    fn commit(
        &mut self,
        commit: Arc<Commit>,
        gate: Arc<SavedGate>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// The clocks of this machine.
pub trait Clock: Send + Sync {
    /// The time of the wall clock, which may be wrong and may jump.
    fn local(&self) -> Timestamp;

    /// The time since the process started, which only rises.
    fn uptime(&self) -> Duration;

    /// Waits until [`Clock::uptime`] has reached `uptime`.
    fn sleep_until(&self, uptime: Duration) -> impl Future<Output = ()> + Send;
}
