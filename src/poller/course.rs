//! How the polls of an account go: when the next one is due, and what the log,
//! the metrics and the landing page say of it.

use std::{sync::Arc, time::Duration};

use audit_core::account::Account;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{
    collector::{PollError, Report},
    outcome,
    schedule::Schedule,
};
use crate::{
    metrics::SelfMetrics,
    poller::status::{Failing, Progress, Status},
};

/// How the polls of an account go.
#[derive(Debug)]
pub(super) struct Course {
    metrics: Arc<SelfMetrics>,
    status: Arc<Status>,
    schedule: Schedule,
    progress: Progress,
    /// Reasons that the log has named since polls fail.
    failing_for: Vec<&'static str>,
}

impl Course {
    pub(super) fn new(interval: Duration, metrics: Arc<SelfMetrics>, status: Arc<Status>) -> Self {
        Self {
            metrics,
            status,
            schedule: Schedule::new(interval, fastrand::Rng::new()),
            progress: Progress::default(),
            failing_for: Vec::new(),
        }
    }

    /// Says how long to wait after a poll that succeeded.
    pub(super) fn succeeded(
        &mut self,
        account: &Account,
        report: Report,
        took: Duration,
    ) -> Duration {
        let at = Timestamp::now();
        let watermark = account.window.watermark();
        let newest = account.window.newest();
        outcome::PollSucceeded {
            took,
            report,
            at,
            watermark,
            newest,
        }
        .record(&self.metrics);
        let now = Progress {
            last_success: Some(at),
            failing: None,
        };
        let before = std::mem::replace(&mut self.progress, now);
        let counted = report.counted;
        if before.last_success.is_none() {
            outcome::FirstSuccess { counted }.record();
        } else if let Some(failing) = before.failing {
            let failed_since = failing.since;
            outcome::Recovered {
                failed_since,
                counted,
            }
            .record();
        }
        self.failing_for.clear();
        self.status.record(self.progress.clone());
        self.schedule.after_success(took)
    }

    /// Says how long to wait after a poll that failed.
    pub(super) fn failed(&mut self, error: &PollError, took: Duration) -> Duration {
        let next_in = self.schedule.after_failure(error);
        let text = error.to_string();
        let before = self.progress.failing.take();
        let reason = error.reason();
        let changed = !self.failing_for.contains(&reason);
        if changed {
            self.failing_for.push(reason);
        }
        outcome::PollFailed {
            error,
            took,
            next_in,
            changed,
        }
        .record(&self.metrics);
        let since = before.map_or_else(Timestamp::now, |failing| failing.since);
        self.progress.failing = Some(Failing { since, error: text });
        self.status.record(self.progress.clone());
        self.expect_rest(Instant::now() + next_in);
        next_in
    }

    /// A deep sweep that failed goes on after the next poll, which decides whether
    /// the API is up.
    pub(super) fn deep_sweep_failed(&self, error: &PollError) {
        outcome::DeepSweepFailed { error }.record(&self.metrics);
    }

    /// Rests until then, or until a server waits to be stored.
    pub(super) async fn rest(&self, until: Instant) {
        self.expect_rest(until);
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = self.status.newcomer() => {}
        }
    }

    /// The poller has nothing to do until then.
    pub(super) fn expect_rest(&self, until: Instant) {
        let now = Instant::now();
        self.status
            .expect_life(now.into_std(), until.saturating_duration_since(now));
    }
}
