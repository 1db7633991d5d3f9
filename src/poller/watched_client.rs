//! A client of the API that reports each request as a sign of life of the poller.

use std::{sync::Arc, time::Duration};

use audit_core::event::EventType;
use tokio::sync::Notify;

use super::{Api, Clock, SystemClock, health::AccountHealth};
use crate::api::{
    ApiAnswer, ApiClient, ApiError, Credentials, PageQuery,
    paging::{PageSource, in_own_task},
};

/// A client of the API that reports each request as a sign of life of the poller.
#[derive(Debug)]
pub(crate) struct WatchedClient {
    client: Arc<ApiClient>,
    health: Arc<AccountHealth>,
    clock: SystemClock,
    /// The longest time that one request takes, including the wait for the rate limit.
    timeout: Duration,
    /// Ends the wait of a poller whose last poll failed.
    reloaded: Notify,
}

impl WatchedClient {
    /// Returns a client that sends its requests through `client`. A request takes
    /// `timeout` at most, including the wait for the rate limit.
    pub(crate) fn new(
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
            reloaded: Notify::new(),
        }
    }

    /// Takes over the credentials of a reload that has left the account as it is. An account
    /// that fails is polled at once, or right after the poll that is under way.
    pub(crate) fn reload(&self, credentials: &Credentials) {
        self.client.reload_credentials(credentials);
        if self.health.polls().failing.is_some() {
            self.reloaded.notify_one();
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

    fn api_key(&self) -> Option<String> {
        Some(self.client.api_key())
    }

    async fn retry_early(&self) {
        tokio::select! {
            () = self.reloaded.notified() => {}
            () = self.client.secret_renewed() => {}
        }
    }
}

impl PageSource for WatchedClient {
    /// Requests the page in a task of its own, so that one page is received and
    /// decompressed while another is parsed.
    async fn page(&self, query: PageQuery) -> Result<ApiAnswer<String>, ApiError> {
        self.show_life();
        let client = Arc::clone(&self.client);
        in_own_task(async move { client.list(query).await }).await
    }

    async fn wait_for_retry(&self, wait: Duration) {
        let uptime = self.clock.uptime();
        self.health
            .expect_life(uptime, wait.saturating_add(self.timeout));
        self.clock.sleep_until(uptime.saturating_add(wait)).await;
    }
}
