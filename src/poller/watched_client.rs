//! The client of an account whose every request is a sign of life of its poller.

use std::{future::pending, panic::resume_unwind, sync::Arc, time::Duration};

use audit_core::event::EventType;
use tokio::task::JoinSet;

use super::{Api, Clock, SystemClock, health::AccountHealth};
use crate::api::{ApiAnswer, ApiClient, ApiError, PageQuery, paging::PageSource};

/// The client of an account whose every request is a sign of life of its poller.
#[derive(Debug)]
pub struct WatchedClient {
    client: Arc<ApiClient>,
    health: Arc<AccountHealth>,
    clock: SystemClock,
    /// The longest that one request takes, the wait for its turn included.
    timeout: Duration,
}

impl WatchedClient {
    /// Watches `client`, whose requests take `timeout` at most.
    #[must_use]
    pub fn new(
        client: ApiClient,
        health: Arc<AccountHealth>,
        clock: SystemClock,
        timeout: Duration,
    ) -> Self {
        Self {
            client: Arc::new(client),
            health,
            clock,
            timeout,
        }
    }

    fn show_life(&self) {
        self.health.expect_life(self.clock.uptime(), self.timeout);
    }
}

impl Api for WatchedClient {
    async fn types(&self) -> Result<ApiAnswer<Vec<EventType>>, ApiError> {
        self.show_life();
        self.client.types().await
    }
}

impl PageSource for WatchedClient {
    /// Asks in a task of its own, so that a page is received and decompressed while
    /// another one is parsed.
    async fn page(&self, query: PageQuery) -> Result<ApiAnswer<String>, ApiError> {
        self.show_life();
        let client = Arc::clone(&self.client);
        // A set, since a task in it ends when the set is dropped.
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
