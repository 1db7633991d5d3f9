//! How each account is counted, as the settings say it.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use audit_core::window::WindowSettings;
use jiff::SignedDuration;

use crate::{
    api::{Client, ClientSettings, Connections, Credentials},
    config::{AccountSettings, PollSettings, Settings, Start},
    metrics::SelfMetrics,
    poller::{PollStart, PollerSettings},
};

/// How much longer than any poll looks back an id is remembered, for polls that
/// take their time.
const RETENTION_MARGIN: SignedDuration = SignedDuration::from_hours(1);
/// About how many requests of an account wait for their turn at once.
const PAGES_AT_ONCE: f64 = 8.0;
/// From the first poll of one account to that of the next, at most: ten thousand
/// that begin at once would be late together for ever.
const BETWEEN_STARTS: Duration = Duration::from_millis(5);

/// All that decides how an account is counted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) account: AccountSettings,
    poll: PollSettings,
    max_series: usize,
}

/// Of every account, in the order of the settings.
pub(super) fn plans(settings: &Settings) -> Vec<Plan> {
    let plan = |account: &AccountSettings| Plan {
        account: account.clone(),
        poll: settings.poll,
        max_series: settings.max_series,
    };
    settings.accounts.iter().map(plan).collect()
}

/// When the account at this place is first polled.
pub(super) fn spread(place: usize, settings: &Settings) -> Duration {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    let all = u32::try_from(settings.accounts.len()).unwrap_or(u32::MAX);
    let between = settings.poll.interval / all.max(1);
    between.min(BETWEEN_STARTS) * place
}

/// Asks the API of an account.
///
/// # Errors
/// When TLS cannot be set up.
pub(crate) fn client(
    connections: &Connections,
    account: &AccountSettings,
    metrics: &Arc<SelfMetrics>,
) -> anyhow::Result<Client> {
    let client = ClientSettings {
        base_url: account.base_url.clone(),
        timeout: account.timeout,
        max_requests_per_second: account.max_requests_per_second,
    };
    let credentials = Credentials {
        key: account.key.clone(),
        secret: account.secret.clone(),
    };
    Client::new(connections, &client, credentials, Arc::clone(metrics))
        .context("TLS cannot be set up; are CA certificates installed (package ca-certificates)?")
}

/// The longest that a request of an account takes, the wait for its turn included.
pub(super) fn request_timeout(account: &AccountSettings) -> Duration {
    let turn = Duration::try_from_secs_f64(PAGES_AT_ONCE / account.max_requests_per_second);
    account.timeout + turn.unwrap_or(Duration::MAX / 2)
}

pub(super) fn poller_settings(plan: &Plan, first_poll_in: Duration) -> PollerSettings {
    let poll = plan.poll;
    PollerSettings {
        interval: poll.interval,
        window: WindowSettings {
            lookback: poll.lookback,
            retention: poll.reconcile_lookback + RETENTION_MARGIN,
        },
        reconcile_interval: poll.reconcile_interval,
        reconcile_lookback: poll.reconcile_lookback,
        start: match poll.start {
            Start::Now => PollStart::Now,
            Start::Age(age) => PollStart::Age(age),
            Start::At(time) => PollStart::At(time),
        },
        max_series: plan.max_series,
        first_poll_in,
    }
}
