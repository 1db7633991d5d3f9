//! What happens to a poller, each in one struct that both logs and counts, so
//! that the log and the metrics cannot drift apart.
//!
//! At debug every poll has a line; at info and above only a change of state has.

use std::time::Duration;

use audit_core::account::Tally;
use jiff::Timestamp;

use super::collector::{PollCounts, PollError};
use crate::{
    api::ApiError,
    metrics::{AccountMetrics, log_seconds},
};

/// A page was counted.
pub(super) struct PageCounted<'a> {
    pub(super) tally: &'a Tally,
    pub(super) at: Timestamp,
}

impl PageCounted<'_> {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        let Tally {
            lags,
            duplicates,
            malformed,
            late,
            overflow,
            before_floor,
        } = self.tally;
        for lag in lags {
            metrics.ingest_lag.observe(*lag);
        }
        if !lags.is_empty() {
            metrics.last_event_observed.set(self.at);
        }
        metrics.duplicate_events.inc_by(*duplicates);
        metrics.malformed_events.inc_by(*malformed);
        metrics.late_events.inc_by(*late);
        metrics.overflow_events.inc_by(*overflow);
        if *malformed > 0 {
            tracing::warn!(malformed, "events without an id are not counted");
        }
        tracing::trace!(
            counted = lags.len(),
            duplicates,
            late,
            overflow,
            before_floor,
            "page counted"
        );
    }
}

/// A poll succeeded.
pub(super) struct PollSucceeded {
    pub(super) took: Duration,
    pub(super) counts: PollCounts,
    pub(super) at: Timestamp,
    pub(super) watermark: Option<Timestamp>,
    pub(super) newest: Option<Timestamp>,
}

impl PollSucceeded {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        metrics.up.set(1.0);
        metrics.poll_duration.observe(self.took.as_secs_f64());
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
            watermark = self.watermark.map(tracing::field::display),
            "poll succeeded"
        );
    }
}

/// The API told its time, so that counting can begin.
pub(super) struct CountingBegins {
    pub(super) from: Timestamp,
}

impl CountingBegins {
    pub(super) fn record(&self) {
        tracing::info!(from = %self.from, "counting begins; what was created before is not counted");
    }
}

/// The first poll succeeded.
pub(super) struct FirstSuccess {
    pub(super) counted: u64,
}

impl FirstSuccess {
    pub(super) fn record(&self) {
        tracing::info!(counted = self.counted, "first poll succeeded");
    }
}

/// Polls succeed again.
pub(super) struct Recovered {
    pub(super) failed_since: Timestamp,
    pub(super) counted: u64,
}

impl Recovered {
    pub(super) fn record(&self) {
        tracing::info!(failed_since = %self.failed_since, counted = self.counted, "polls succeed again");
    }
}

/// A poll failed.
pub(super) struct PollFailed<'a> {
    pub(super) error: &'a PollError,
    pub(super) took: Duration,
    pub(super) next_in: Duration,
    /// The first for its reason since polls fail.
    pub(super) changed: bool,
}

impl PollFailed<'_> {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        metrics.up.set(0.0);
        metrics.poll_duration.observe(self.took.as_secs_f64());
        let reason = self.error.reason();
        if let PollError::Api(_) = self.error {
            metrics.poll_failures.with_label_values(&[reason]).inc();
        }
        if self.changed {
            tracing::warn!(reason, error = %self.error, next_in_seconds = log_seconds(self.next_in), "polls fail; nothing is lost, the same range is asked for again");
        } else {
            tracing::debug!(reason, error = %self.error, next_in_seconds = log_seconds(self.next_in), "poll failed again");
        }
    }
}

/// A deep sweep failed on its way.
pub(super) struct DeepSweepFailed<'a> {
    pub(super) error: &'a PollError,
}

impl DeepSweepFailed<'_> {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        if let PollError::Api(error) = self.error {
            metrics
                .poll_failures
                .with_label_values(&[error.reason()])
                .inc();
        }
        tracing::warn!(error = %self.error, "a deep poll failed; it goes on after the next poll");
    }
}

/// What was counted could not be stored. The poll that fails of it says so in
/// the log.
pub(super) struct CommitFailed<'a, E> {
    pub(super) error: &'a E,
}

impl<E: std::error::Error> CommitFailed<'_, E> {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        metrics.storage_failures.inc();
        tracing::debug!(error = %self.error, "commit failed; what was committed before is still shown");
    }
}

/// A piece of a range that was too full to be read at once.
pub(super) struct PieceCounted {
    pub(super) up_to: Timestamp,
    pub(super) now: Timestamp,
    pub(super) counts: PollCounts,
}

impl PieceCounted {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        metrics.watermark.set(self.up_to);
        let behind = Duration::try_from(self.now.duration_since(self.up_to)).unwrap_or_default();
        tracing::info!(up_to = %self.up_to, behind_seconds = log_seconds(behind), counted = self.counts.counted, pages = self.counts.pages, "catching up");
    }
}

/// The API keeps saying that there is more than it shows.
pub(super) struct EventsMissing {
    pub(super) missing: u64,
    /// The first sweep in a row.
    pub(super) changed: bool,
}

impl EventsMissing {
    pub(super) fn record(&self) {
        let missing = self.missing;
        if self.changed {
            tracing::warn!(
                missing,
                "the API says that there are more events than it shows; polls look back, so they are counted as soon as it shows them"
            );
        } else {
            tracing::debug!(missing, "the API still shows fewer events than it says");
        }
    }
}

/// A deep sweep has read everything in its window.
pub(super) struct DeepSweepEnded {
    pub(super) missing: u64,
}

impl DeepSweepEnded {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        let missing = i64::try_from(self.missing).unwrap_or(i64::MAX);
        metrics.reconcile_missing.set(missing);
        tracing::debug!(missing, "deep sweep ended");
    }
}

/// So much is counted and waits for the publish gate.
pub(super) struct PendingObserved {
    pub(super) pending: u64,
}

impl PendingObserved {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        let pending = i64::try_from(self.pending).unwrap_or(i64::MAX);
        metrics.pending_events.set(pending);
    }
}

/// The list of event types could not be had; counting goes on without it.
pub(super) struct TypesFailed<'a> {
    pub(super) error: &'a ApiError,
    /// The first in a row.
    pub(super) changed: bool,
}

impl TypesFailed<'_> {
    pub(super) fn record(&self) {
        if self.changed {
            tracing::warn!(error = %self.error, "the list of event types could not be had; types start at 0 only once they are seen");
        } else {
            tracing::debug!(error = %self.error, "the list of event types could still not be had");
        }
    }
}
