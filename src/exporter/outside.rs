//! Everything outside the program that the accounts use, except the state: the clocks, and the
//! APIs. A property of the fuzzers has its own, and so adds, changes and removes the accounts
//! as the program does.

use std::{fmt::Debug, sync::Arc};

use tokio::time::Instant;

use super::plan::{client, request_timeout};
use crate::{
    api::{ApiClient, Credentials, HttpClients},
    config::AccountSettings,
    metrics::AccountMetrics,
    poller::{Api, Clock, SystemClock, WatchedClient, health::AccountHealth},
};

/// The clocks of the machine, and the APIs of the accounts.
pub trait Outside: Debug + Send + Sync + 'static {
    /// The clocks of the machine.
    type Clock: Clock + Debug + Clone + 'static;
    /// The client of the API of an account that does not run yet.
    type Client: Debug + Send;
    /// The API of an account that runs.
    type Api: ReloadedApi + Debug + 'static;

    /// Returns the clocks.
    fn clock(&self) -> Self::Clock;

    /// Returns a client for the API of an account, which counts its requests in `metrics`.
    ///
    /// # Errors
    ///
    /// If no connection can be made at all.
    fn client(
        &self,
        account: &AccountSettings,
        metrics: &Arc<AccountMetrics>,
    ) -> anyhow::Result<Self::Client>;

    /// Returns the API of an account, whose requests are signs of life of its poller.
    fn api(
        &self,
        client: Self::Client,
        account: &AccountSettings,
        health: &Arc<AccountHealth>,
    ) -> Self::Api;
}

/// The API of an account that a reload may leave as it is.
pub trait ReloadedApi: Api {
    /// Takes over the credentials of such a reload.
    fn reload(&self, credentials: &Credentials);
}

impl ReloadedApi for WatchedClient {
    fn reload(&self, credentials: &Credentials) {
        WatchedClient::reload(self, credentials);
    }
}

/// The clocks of this machine, and the APIs over HTTP.
#[derive(Debug)]
pub(super) struct HttpOutside {
    http_clients: HttpClients,
    started: Instant,
}

impl HttpOutside {
    /// Returns the APIs that `http_clients` reach, for a process that starts now.
    pub(super) fn new(http_clients: HttpClients) -> Self {
        Self {
            http_clients,
            started: Instant::now(),
        }
    }

    /// Returns the moment at which the process started.
    pub(super) fn started(&self) -> Instant {
        self.started
    }
}

impl Outside for HttpOutside {
    type Clock = SystemClock;
    type Client = ApiClient;
    type Api = WatchedClient;

    fn clock(&self) -> SystemClock {
        SystemClock::new(self.started)
    }

    fn client(
        &self,
        account: &AccountSettings,
        metrics: &Arc<AccountMetrics>,
    ) -> anyhow::Result<ApiClient> {
        client(&self.http_clients, account, metrics)
    }

    fn api(
        &self,
        client: ApiClient,
        account: &AccountSettings,
        health: &Arc<AccountHealth>,
    ) -> WatchedClient {
        let timeout = request_timeout(account);
        WatchedClient::new(client, Arc::clone(health), self.clock(), timeout)
    }
}
