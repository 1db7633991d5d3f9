//! The log lines and the metrics of polls, from the first one on.

use std::{sync::Arc, time::Duration};

use audit_core::window::Clocks;
use jiff::{SignedDuration, Timestamp};

use crate::{
    api::ApiError,
    metrics::{AccountMetrics, CatchUp, Polls, log_seconds, log_time},
    poller::collector::{PollCounts, PollError},
};

/// The start of counting is known. An account without stored counts needs the clock of
/// the API for this.
pub(in crate::poller) struct CountingBegins {
    pub(in crate::poller) from: Timestamp,
    pub(in crate::poller) clocks: Clocks,
}

impl CountingBegins {
    /// A difference between the two clocks that is no matter of seconds.
    const LARGE: SignedDuration = SignedDuration::from_mins(1);

    pub(in crate::poller) fn record(&self) {
        let Clocks { api, local } = self.clocks;
        if self.clocks.latest().duration_since(self.clocks.earliest()) >= Self::LARGE {
            tracing::warn!(
                api = log_time(api),
                local = log_time(local),
                "the clock of the API and the clock of this machine differ; counting begins by the earlier one"
            );
        }
        tracing::info!(
            from = log_time(self.from),
            "counting begins; events created before are not counted"
        );
    }
}

/// One of the clocks is far behind the other one and behind an event, so that it is wrong.
pub(in crate::poller) struct ClockDisproved {
    pub(in crate::poller) clocks: Clocks,
    /// The time of creation of the event.
    pub(in crate::poller) event: Timestamp,
}

impl ClockDisproved {
    pub(in crate::poller) fn record(&self) {
        let Clocks { api, local } = self.clocks;
        tracing::warn!(
            api = log_time(api),
            local = log_time(local),
            event = log_time(self.event),
            "one of the clocks of the API and of this machine is far behind an event that was created already, so it is not believed; counting begins by the other one"
        );
    }
}

/// The first poll of a process goes on from a stored state.
pub(in crate::poller) struct StateContinued {
    pub(in crate::poller) watermark: Timestamp,
    pub(in crate::poller) now: Timestamp,
}

impl StateContinued {
    /// A restart or an upgrade takes minutes. A state that is older is that of an exporter
    /// that was stopped for long, or a copy that was put back, and only a person knows
    /// which of the two.
    const OLD: SignedDuration = SignedDuration::from_hours(1);

    pub(in crate::poller) fn record(&self) {
        let age = self.now.duration_since(self.watermark);
        if age < Self::OLD {
            return;
        }
        let age = age.unsigned_abs();
        tracing::warn!(
            watermark = log_time(self.watermark),
            age_seconds = log_seconds(age),
            "the stored state is old: the events since are read from the API now; if the state is a copy that was put back, Prometheus takes the lower counts for a reset and counts events again"
        );
    }
}

/// A poll succeeded.
pub(in crate::poller) struct PollSucceeded {
    pub(in crate::poller) took: Duration,
    pub(in crate::poller) counts: PollCounts,
    pub(in crate::poller) at: Timestamp,
    pub(in crate::poller) watermark: Option<Timestamp>,
    pub(in crate::poller) newest: Option<Timestamp>,
}

impl PollSucceeded {
    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        metrics.show_polls(Polls::Succeed);
        metrics
            .histograms
            .poll_duration
            .observe(self.took.as_secs_f64());
        metrics.last_poll_success.set(self.at);
        if let Some(watermark) = self.watermark {
            metrics.watermark.set(watermark);
        }
        if let Some(newest) = self.newest {
            metrics.newest_event.set(newest);
        }
        tracing::debug!(
            took_seconds = log_seconds(self.took),
            pages = self.counts.pages,
            counted = self.counts.counted,
            watermark = self.watermark.map(log_time),
            "poll succeeded"
        );
    }
}

/// The first poll succeeded.
pub(in crate::poller) struct FirstSuccess {
    pub(in crate::poller) counted: u64,
}

impl FirstSuccess {
    pub(in crate::poller) fn record(&self) {
        tracing::info!(counted = self.counted, "first poll succeeded");
    }
}

/// A poll failed.
pub(in crate::poller) struct PollFailed<'a> {
    pub(in crate::poller) error: &'a PollError,
    pub(in crate::poller) took: Duration,
    pub(in crate::poller) next_in: Duration,
    /// `true` if no poll has failed for this reason since the last success.
    pub(in crate::poller) is_first: bool,
}

impl PollFailed<'_> {
    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        metrics.show_polls(Polls::Fail);
        metrics
            .histograms
            .poll_duration
            .observe(self.took.as_secs_f64());
        let reason = self.error.reason();
        if let PollError::Api(_) = self.error {
            metrics.poll_failures.inc([reason.into()]);
        }
        if self.is_first {
            tracing::warn!(reason, error = %self.error, next_in_seconds = log_seconds(self.next_in), "polls fail; no event is lost, since the next poll asks for the same range again");
        } else {
            tracing::debug!(reason, error = %self.error, next_in_seconds = log_seconds(self.next_in), "poll failed again");
        }
    }
}

/// Polls succeed again.
pub(in crate::poller) struct Recovered {
    pub(in crate::poller) failed_since: Timestamp,
    pub(in crate::poller) counted: u64,
}

impl Recovered {
    pub(in crate::poller) fn record(&self) {
        tracing::info!(
            failed_since = log_time(self.failed_since),
            counted = self.counted,
            "polls succeed again"
        );
    }
}

/// A piece was counted and committed, and more pieces follow.
pub(in crate::poller) struct PieceCounted {
    /// The time of creation from which the poll reads.
    pub(in crate::poller) from: Timestamp,
    pub(in crate::poller) up_to: Timestamp,
    pub(in crate::poller) now: Timestamp,
    pub(in crate::poller) counts: PollCounts,
    /// `true` if the piece is history, of which nothing is shown before its end.
    pub(in crate::poller) is_history: bool,
}

impl PieceCounted {
    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        // The API answers, and what it answered is stored: nothing fails.
        if metrics.catching_up.get() == 0 {
            metrics.catch_up.store(Some(Arc::new(CatchUp {
                from: self.from,
                began: self.now,
                is_history: self.is_history,
            })));
        }
        metrics.show_polls(Polls::CatchUp);
        metrics.watermark.set(self.up_to);
        let behind = Duration::try_from(self.now.duration_since(self.up_to)).unwrap_or_default();
        tracing::info!(
            up_to = log_time(self.up_to),
            behind_seconds = log_seconds(behind),
            counted = self.counts.counted,
            pages = self.counts.pages,
            "catching up"
        );
    }
}

/// The list of event types could not be read; counting goes on without it.
pub(in crate::poller) struct TypesFailed<'a> {
    pub(in crate::poller) error: &'a ApiError,
    /// `true` if the request before this one did not fail.
    pub(in crate::poller) is_first: bool,
}

impl TypesFailed<'_> {
    pub(in crate::poller) fn record(&self) {
        if self.is_first {
            tracing::warn!(error = %self.error, "the list of event types could not be read; the series of a type that is not known begins with its first event");
        } else {
            tracing::debug!(error = %self.error, "the list of event types still cannot be read");
        }
    }
}
