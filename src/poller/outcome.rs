//! What happens to a poller, each in one struct that both logs and counts, so
//! that the log and the metrics cannot drift apart.
//!
//! At debug every poll has a line; at info and above only a change of state has.

use std::time::Duration;

use jiff::Timestamp;

use crate::{account::Tally, client::ApiError, metrics::SelfMetrics};

/// A page was counted.
pub(super) struct PageCounted<'a> {
    pub(super) tally: &'a Tally,
    pub(super) at: Timestamp,
}

impl PageCounted<'_> {
    pub(super) fn record(&self, metrics: &SelfMetrics) {
        let Tally {
            lags,
            duplicates,
            malformed,
            late,
            overflow,
            before_floor,
        } = self.tally;
        for lag in lags {
            // An API whose clock jumps back would make a lag negative.
            metrics.ingest_lag.observe(lag.max(0.0));
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
    pub(super) pages: u64,
    pub(super) counted: u64,
    pub(super) at: Timestamp,
    pub(super) watermark: Timestamp,
    pub(super) newest: Option<Timestamp>,
}

impl PollSucceeded {
    pub(super) fn record(&self, metrics: &SelfMetrics) {
        metrics.up.set(1.0);
        metrics.poll_duration.observe(self.took.as_secs_f64());
        metrics.last_poll_success.set(self.at);
        metrics.watermark.set(self.watermark);
        if let Some(newest) = self.newest {
            metrics.newest_event.set(newest);
        }
        tracing::debug!(
            took = ?self.took,
            pages = self.pages,
            counted = self.counted,
            watermark = %self.watermark,
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
    pub(super) error: &'a ApiError,
    pub(super) took: Duration,
    pub(super) next_in: Duration,
    /// The first of its kind in a row.
    pub(super) changed: bool,
}

impl PollFailed<'_> {
    pub(super) fn record(&self, metrics: &SelfMetrics) {
        let reason = self.error.reason();
        metrics.up.set(0.0);
        metrics.poll_duration.observe(self.took.as_secs_f64());
        metrics.poll_failures.with_label_values(&[reason]).inc();
        if self.changed {
            tracing::warn!(reason, error = %self.error, next_in = ?self.next_in, "polls fail; nothing is lost, the same range is asked for again");
        } else {
            tracing::debug!(reason, error = %self.error, next_in = ?self.next_in, "poll failed again");
        }
    }
}

/// The API keeps saying that there is more than it shows.
pub(super) struct SweepShort {
    pub(super) missing: u64,
    pub(super) seen: u64,
}

impl SweepShort {
    pub(super) fn record(&self) {
        tracing::warn!(
            missing = self.missing,
            seen = self.seen,
            "the API says that there are more events than it shows; polls look back, so they are counted as soon as it shows them"
        );
    }
}

/// The list of event types could not be had; counting goes on without it.
pub(super) struct TypesFailed<'a> {
    pub(super) error: &'a ApiError,
}

impl TypesFailed<'_> {
    pub(super) fn record(&self) {
        tracing::warn!(error = %self.error, "the list of event types could not be had; types start at 0 only once they are seen");
    }
}
