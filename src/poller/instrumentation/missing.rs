//! The log lines and the metrics of deep polls, and of events that the API has and does not show.

use jiff::Timestamp;

use crate::{
    metrics::{AccountMetrics, log_time},
    poller::collector::PollError,
};

/// A piece of a deep sweep failed.
pub(in crate::poller) struct DeepSweepFailed<'a> {
    pub(in crate::poller) error: &'a PollError,
}

impl DeepSweepFailed<'_> {
    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        if let PollError::Api(error) = self.error {
            metrics.poll_failures.inc([error.reason().into()]);
        }
        tracing::warn!(error = %self.error, "a deep poll failed; it goes on after the next poll");
    }
}

/// A deep sweep has read its whole range.
pub(in crate::poller) struct DeepSweepEnded {
    pub(in crate::poller) missing: u64,
}

impl DeepSweepEnded {
    pub(in crate::poller) fn record(&self) {
        tracing::debug!(missing = self.missing, "a deep poll has ended");
    }
}

/// The API reports more events of a piece than it returns.
pub(in crate::poller) struct EventsMissing {
    pub(in crate::poller) missing: u64,
    /// `true` if no event was missing from the piece before.
    pub(in crate::poller) is_first: bool,
}

impl EventsMissing {
    pub(in crate::poller) fn record(&self) {
        let missing = self.missing;
        if self.is_first {
            tracing::warn!(
                missing,
                "the API reports more events than it returns; polls look back, so the missing events are counted as soon as the API returns them"
            );
        } else {
            tracing::debug!(missing, "the API still reports more events than it returns");
        }
    }
}

/// One second has more events than the API returns for one query, and a range cannot be
/// shorter.
pub(in crate::poller) struct SecondTooDense {
    pub(in crate::poller) second: Timestamp,
    pub(in crate::poller) missing: u64,
    /// `true` if the log has not named this second yet.
    pub(in crate::poller) is_first: bool,
}

impl SecondTooDense {
    pub(in crate::poller) fn record(&self) {
        let (second, missing) = (log_time(self.second), self.missing);
        if self.is_first {
            tracing::warn!(
                second,
                missing,
                "the API has more events in one second than it returns for one query; at least the missing ones cannot be counted, so ask the vendor for the events of that second"
            );
        } else {
            tracing::debug!(second, missing, "events of one second still cannot be read");
        }
    }
}

/// The API shows no more than `events` of one query, as a poll has found.
pub(in crate::poller) struct LimitMet {
    pub(in crate::poller) events: u64,
}

impl LimitMet {
    pub(in crate::poller) fn record(&self) {
        tracing::info!(
            events = self.events,
            "the API shows only so many events of one query; longer ranges are read in parts"
        );
    }
}

/// `missing` events are in the list of the API, and the API does not return them.
pub(in crate::poller) struct MissingObserved {
    pub(in crate::poller) missing: u64,
}

impl MissingObserved {
    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        let missing = i64::try_from(self.missing).unwrap_or(i64::MAX);
        metrics.reconcile_missing.set(missing);
    }
}
