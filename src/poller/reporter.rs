//! Reports how the polls of an account go to the log, the metrics and the health, and
//! decides when the next poll is due.

use std::{sync::Arc, time::Duration};

use audit_core::{account::Account, sweep::Limits};
use jiff::Timestamp;

use super::{
    collector::{PollCounts, PollError},
    health::{AccountHealth, Failing, PollState},
    instrumentation,
    schedule::Schedule,
};
use crate::metrics::AccountMetrics;

/// Reports how the polls of an account go.
#[derive(Debug)]
pub(super) struct PollReporter {
    metrics: Arc<AccountMetrics>,
    health: Arc<AccountHealth>,
    schedule: Schedule,
    polls: PollState,
    /// `true` once a poll of this poller has succeeded.
    has_succeeded: bool,
    /// The reasons that the log has named since the last success.
    failing_for: Vec<&'static str>,
}

impl PollReporter {
    pub(super) fn new(
        schedule: Schedule,
        metrics: Arc<AccountMetrics>,
        health: Arc<AccountHealth>,
    ) -> Self {
        // A poller that was stopped by a reload may have left it at 1.
        metrics.catching_up.set(0);
        Self {
            polls: PollState::clone(&health.polls()),
            metrics,
            health,
            schedule,
            has_succeeded: false,
            failing_for: Vec::new(),
        }
    }

    /// Reports a poll that succeeded at the time `at` and lasted `took`; `limits` are those of
    /// the API that are known after it. Returns the wait until the next poll.
    pub(super) fn succeeded(
        &mut self,
        (account, limits): (&Account, Limits),
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
            limit: limits.known(at),
        };
        if let Some(events) = now.limit.filter(|_| now.limit != self.polls.limit) {
            instrumentation::LimitMet { events }.record();
        }
        let before = std::mem::replace(&mut self.polls, now);
        let counted = counts.counted;
        if !std::mem::replace(&mut self.has_succeeded, true) {
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

    /// Reports a poll that failed at the time `at` and lasted `took`. Returns the wait
    /// until the next poll.
    pub(super) fn failed(&mut self, error: &PollError, took: Duration, at: Timestamp) -> Duration {
        let next_in = self.schedule.after_failure(error);
        if self.health.is_catching_up() {
            // The API answered until now, so this failure is the first of its kind.
            self.polls.failing = None;
            self.failing_for.clear();
        }
        let before = self.polls.failing.take();
        let reason = error.reason();
        let is_first = !self.failing_for.contains(&reason);
        if is_first {
            self.failing_for.push(reason);
        }
        instrumentation::PollFailed {
            error,
            took,
            next_in,
            is_first,
        }
        .record(&self.metrics);
        self.polls.failing = Some(Failing {
            since: before.map_or(at, |failing| failing.since),
            error: error.to_string(),
        });
        self.health.record(self.polls.clone());
        next_in
    }

    /// Reports a deep sweep that failed. The deep sweep goes on after the next poll, which
    /// decides whether the API is up.
    pub(super) fn deep_sweep_failed(&self, error: &PollError) {
        instrumentation::DeepSweepFailed { error }.record(&self.metrics);
    }

    /// Records that the poller waits for at most `bound` from `uptime` on.
    pub(super) fn expect_wait(&self, uptime: Duration, bound: Duration) {
        self.health.expect_life(uptime, bound);
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::metrics::ProcessMetrics;

    fn reporter() -> PollReporter {
        let process = ProcessMetrics::new().expect("metrics");
        let metrics = Arc::new(AccountMetrics::new(&[], &process));
        metrics.catching_up.set(1);
        let health = AccountHealth::new(None, Arc::clone(&metrics), Duration::ZERO);
        let schedule = Schedule::new(Duration::from_secs(30), Rng::with_seed(7));
        PollReporter::new(schedule, metrics, health.into())
    }

    fn fail(reporter: &mut PollReporter, second: i64) {
        let at = Timestamp::from_second(second).expect("a time");
        reporter.failed(&PollError::Storage("full".into()), Duration::ZERO, at);
    }

    fn failing_since(reporter: &PollReporter) -> Option<i64> {
        let polls = reporter.health.polls();
        polls
            .failing
            .as_ref()
            .map(|failing| failing.since.as_second())
    }

    #[test]
    fn a_poller_that_was_stopped_does_not_catch_up() {
        assert!(!reporter().health.is_catching_up());
    }

    #[test]
    fn a_failure_while_catching_up_is_the_first_of_its_kind() {
        let mut reporter = reporter();
        fail(&mut reporter, 1);
        fail(&mut reporter, 2);
        assert_eq!(failing_since(&reporter), Some(1));
        reporter.metrics.catching_up.set(1);
        fail(&mut reporter, 3);
        assert_eq!(failing_since(&reporter), Some(3));
        assert!(!reporter.health.is_catching_up());
        fail(&mut reporter, 4);
        assert_eq!(failing_since(&reporter), Some(3));
    }
}
