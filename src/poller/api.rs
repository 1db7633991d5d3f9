//! What a collector works with, as far as it matters to it: so that all of its
//! work can be run against a simulated API, storage and clock.

use std::{
    error::Error,
    future::{Future, pending},
    panic::resume_unwind,
    sync::Arc,
    time::Duration,
};

use audit_core::{account::Commit, event::EventType, gate::GateMemory};
use jiff::Timestamp;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    api::{Answer, ApiError, Client, ListQuery},
    poller::status::Status,
};

/// Where pages come from.
pub trait Api: Send + Sync {
    /// One page of the list of events.
    fn list(
        &self,
        query: ListQuery,
    ) -> impl Future<Output = Result<Answer<String>, ApiError>> + Send;
}

/// Where counts are kept.
pub trait Storage: Send {
    /// Why a commit failed.
    type Error: Error + Send + Sync + 'static;

    /// Stores everything in one transaction. What failed may be stored again.
    fn commit(
        &mut self,
        commit: Arc<Commit>,
        gate: Arc<GateMemory>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What time it is.
pub trait Clock: Send + Sync {
    /// By this machine's clock.
    fn local(&self) -> Timestamp;

    /// How long the process has been up.
    fn uptime(&self) -> Duration;
}

/// The clocks of this machine.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    /// When the process started.
    pub started: Instant,
}

impl Clock for SystemClock {
    fn local(&self) -> Timestamp {
        Timestamp::now()
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The client, whose every request shows that the poller lives.
#[derive(Debug)]
pub(super) struct WatchedClient {
    client: Arc<Client>,
    status: Arc<Status>,
    timeout: Duration,
}

impl WatchedClient {
    pub(super) fn new(client: Client, status: Arc<Status>, timeout: Duration) -> Self {
        Self {
            client: Arc::new(client),
            status,
            timeout,
        }
    }

    pub(super) async fn types(&self) -> Result<Answer<Vec<EventType>>, ApiError> {
        self.show_life();
        self.client.types().await
    }

    fn show_life(&self) {
        self.status
            .expect_life(Instant::now().into_std(), self.timeout);
    }
}

impl Api for WatchedClient {
    /// In a task of its own, so that pages are received and decompressed while
    /// others are parsed.
    async fn list(&self, query: ListQuery) -> Result<Answer<String>, ApiError> {
        self.show_life();
        let client = Arc::clone(&self.client);
        // A set, since that ends its task when it is dropped.
        let mut task = JoinSet::new();
        task.spawn(async move { client.list(query).await });
        match task.join_next().await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime is ending, and this task with it.
            _ => pending().await,
        }
    }
}
