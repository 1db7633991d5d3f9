//! The plan of each account, made of the settings.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use audit_core::{sweep::FEW_EVENTS, window::WindowSettings};
use jiff::SignedDuration;

use crate::{
    api::{ApiClient, ApiClientSettings, HttpClients},
    config::{AccountSettings, PollSettings, Settings},
    metrics::AccountMetrics,
    poller::PollerSettings,
};

/// The time for which an id is remembered beyond the longest lookback, for polls that
/// take long.
const RETENTION_MARGIN: SignedDuration = SignedDuration::from_hours(1);
/// The approximate number of requests of an account that wait for the rate limit at once.
const PAGES_AT_ONCE: f64 = 8.0;
/// The longest time between the first polls of two accounts. If ten thousand accounts
/// began at once, their polls would always be late together.
const BETWEEN_STARTS: Duration = Duration::from_millis(5);

/// One account with everything that decides how it is polled.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AccountPlan {
    pub(super) account: AccountSettings,
    poll: PollSettings,
    max_series: usize,
}

/// The times at which an account begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    /// See [`PollerSettings::taken_up`].
    pub(super) taken_up: Duration,
    /// The wait before the first poll.
    pub(super) first_poll_in: Duration,
}

impl AccountPlan {
    /// Returns the API key, under which counts are stored.
    pub(super) fn api_key(&self) -> &str {
        &self.account.credentials.key.text
    }
}

/// Returns the plans of all accounts, in the order of the settings.
pub(super) fn plans(settings: &Settings) -> Vec<AccountPlan> {
    let plan = |account: &AccountSettings| AccountPlan {
        account: account.clone(),
        poll: settings.poll,
        max_series: settings.max_series,
    };
    settings.accounts.iter().map(plan).collect()
}

/// Returns how long the account at this place of the settings waits for its first poll.
pub(super) fn spread(place: usize, settings: &Settings) -> Duration {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    let all = u32::try_from(settings.accounts.len()).unwrap_or(u32::MAX);
    let between = settings.poll.interval / all.max(1);
    between.min(BETWEEN_STARTS) * place
}

/// Returns a client for the API of an account. Fails if TLS cannot be set up.
pub(crate) fn client(
    http_clients: &HttpClients,
    account: &AccountSettings,
    metrics: &Arc<AccountMetrics>,
) -> anyhow::Result<ApiClient> {
    let client = ApiClientSettings {
        base_url: account.base_url.clone(),
        timeout: account.timeout,
        max_requests_per_second: account.max_requests_per_second,
    };
    let credentials = account.credentials.clone();
    ApiClient::new(http_clients, &client, credentials, Arc::clone(metrics))
        .context("TLS cannot be set up; are CA certificates installed (package ca-certificates), or named by SSL_CERT_FILE?")
}

/// The longest that a request of an account takes, the wait for its turn included.
pub(super) fn request_timeout(account: &AccountSettings) -> Duration {
    let turn = Duration::try_from_secs_f64(PAGES_AT_ONCE / account.max_requests_per_second);
    account.timeout + turn.unwrap_or(Duration::MAX / 2)
}

pub(super) fn poller_settings(plan: &AccountPlan, start: Start) -> PollerSettings {
    let poll = plan.poll;
    PollerSettings {
        interval: poll.interval,
        window: WindowSettings {
            lookback: poll.lookback,
            retention: poll.reconcile_lookback + RETENTION_MARGIN,
        },
        deep_sweep_interval: poll.reconcile_interval,
        deep_sweep_lookback: poll.reconcile_lookback,
        start: poll.start,
        taken_up: start.taken_up,
        max_series: plan.max_series,
        few_events: FEW_EVENTS,
        first_poll_in: start.first_poll_in,
    }
}
