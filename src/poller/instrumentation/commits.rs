//! The log lines and the metrics of commits, and of what they show.

use crate::metrics::AccountMetrics;

/// A commit has waited for the disk for a while, and goes on to wait.
pub(in crate::poller) struct CommitHangs;

impl CommitHangs {
    pub(in crate::poller) fn record(metrics: &AccountMetrics) {
        metrics.storage_failures.inc();
        metrics.up.set(0);
        // The disk is named once for all accounts.
        tracing::debug!("the commit has not ended yet");
    }
}

/// A commit could not be stored. The error fails the poll too, and [`PollFailed`] logs it
/// at a higher level.
pub(in crate::poller) struct CommitFailed<'a, E> {
    pub(in crate::poller) error: &'a E,
}

impl<E: std::error::Error> CommitFailed<'_, E> {
    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        metrics.storage_failures.inc();
        tracing::debug!(error = %self.error, "a commit failed; the counts of the last commit are still shown");
    }
}

/// `pending` events are counted and wait for the publish gate.
pub(in crate::poller) struct PendingObserved {
    pub(in crate::poller) pending: u64,
}

impl PendingObserved {
    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        let pending = i64::try_from(self.pending).unwrap_or(i64::MAX);
        metrics.pending_events.set(pending);
    }
}

/// Events of the account that the gate let through before every scraper was known to have
/// seen the value before them.
pub(in crate::poller) struct GateTimeouts {
    /// The number of all such events, from the first start of the exporter on.
    pub(in crate::poller) all: u64,
}

impl GateTimeouts {
    /// Shows the number that was stored by an earlier process.
    pub(in crate::poller) fn restore(&self, metrics: &AccountMetrics) {
        let shown = metrics.gate_timeouts.get();
        metrics.gate_timeouts.inc_by(self.all.saturating_sub(shown));
    }

    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        let new = self.all.saturating_sub(metrics.gate_timeouts.get());
        if new == 0 {
            return;
        }
        metrics.gate_timeouts.inc_by(new);
        tracing::warn!(
            events = new,
            "events were shown because they had waited as long as may be; a server that has not scraped twice meanwhile may not see their increase, so look at the series itself"
        );
    }
}
