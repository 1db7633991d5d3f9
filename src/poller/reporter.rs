//! Tells how the polls of an account go, in the log, the metrics and the health, and
//! decides when the next poll is due.

use std::{sync::Arc, time::Duration};

use audit_core::account::Account;
use jiff::Timestamp;

use super::{
    collector::{PollCounts, PollError},
    health::{AccountHealth, Failing, PollState},
    instrumentation,
    schedule::Schedule,
};
use crate::metrics::AccountMetrics;

/// Tells how the polls of an account go.
#[derive(Debug)]
pub(super) struct PollReporter {
    metrics: Arc<AccountMetrics>,
    health: Arc<AccountHealth>,
    schedule: Schedule,
    polls: PollState,
    /// The reasons that the log has named since polls fail.
    failing_for: Vec<&'static str>,
}

impl PollReporter {
    pub(super) fn new(
        schedule: Schedule,
        metrics: Arc<AccountMetrics>,
        health: Arc<AccountHealth>,
    ) -> Self {
        Self {
            metrics,
            health,
            schedule,
            polls: PollState::default(),
            failing_for: Vec::new(),
        }
    }

    /// Tells of a poll that succeeded `at` and `took` so long. Returns how long to wait
    /// for the next one.
    pub(super) fn succeeded(
        &mut self,
        account: &Account,
        counts: PollCounts,
        took: Duration,
        at: Timestamp,
    ) -> Duration {
        let watermark = account.window.watermark();
        let newest = account.window.newest();
        instrumentation::PollSucceeded {
            took,
            counts,
            at,
            watermark,
            newest,
        }
        .record(&self.metrics);
        let now = PollState {
            last_success: Some(at),
            failing: None,
        };
        let before = std::mem::replace(&mut self.polls, now);
        let counted = counts.counted;
        if before.last_success.is_none() {
            instrumentation::FirstSuccess { counted }.record();
        } else if let Some(failing) = before.failing {
            let failed_since = failing.since;
            instrumentation::Recovered {
                failed_since,
                counted,
            }
            .record();
        }
        self.failing_for.clear();
        self.health.record(self.polls.clone());
        self.schedule.after_success(took)
    }

    /// Tells of a poll that failed `at` and `took` so long. Returns how long to wait for
    /// the next one.
    pub(super) fn failed(&mut self, error: &PollError, took: Duration, at: Timestamp) -> Duration {
        let next_in = self.schedule.after_failure(error);
        let before = self.polls.failing.take();
        let reason = error.reason();
        let changed = !self.failing_for.contains(&reason);
        if changed {
            self.failing_for.push(reason);
        }
        instrumentation::PollFailed {
            error,
            took,
            next_in,
            changed,
        }
        .record(&self.metrics);
        self.polls.failing = Some(Failing {
            since: before.map_or(at, |failing| failing.since),
            error: error.to_string(),
        });
        self.health.record(self.polls.clone());
        next_in
    }

    /// Tells of a deep sweep that failed. The deep sweep goes on after the next poll,
    /// which decides whether the API is up.
    pub(super) fn deep_sweep_failed(&self, error: &PollError) {
        instrumentation::DeepSweepFailed { error }.record(&self.metrics);
    }

    /// Takes note that the poller has nothing to do for `bound` from `uptime` on.
    pub(super) fn expect_wait(&self, uptime: Duration, bound: Duration) {
        self.health.expect_life(uptime, bound);
    }
}
