//! The counted events that are not shown yet, and why.

use std::time::Duration;

use audit_core::ledger::SavedCounter;
use serde::Serialize;

/// The counters with events that wait for the publish gate, by the reason.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct WaitingSummary {
    /// The number of events that are counted in `nexmo_audit_events_total` and not
    /// published.
    pub(super) events: u64,
    /// Series whose first value not every server has had the time to see.
    pub(super) new_series: Vec<WaitingCounter>,
    /// Series that keep their value after a start, or after a time without scrapes.
    pub(super) standing_still: Vec<WaitingCounter>,
}

/// A counter with events that wait.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WaitingCounter {
    /// The name of the metric with its labels.
    pub(super) series: String,
    pub(super) total: u64,
    pub(super) published: u64,
    /// For how long an event has waited, as of the last write.
    pub(super) waited_seconds: Option<f64>,
}

impl WaitingSummary {
    /// Adds a counter if events of it wait. `wait_time` is the reading of the clock of waits
    /// at the last write.
    pub(super) fn add(
        &mut self,
        saved: SavedCounter,
        wait_time: Duration,
        name: impl FnOnce() -> String,
    ) {
        let SavedCounter {
            total,
            published,
            first_value,
            waits_since,
        } = saved;
        if published >= total {
            return;
        }
        let counters = if first_value.is_new() {
            &mut self.new_series
        } else {
            &mut self.standing_still
        };
        counters.push(WaitingCounter {
            series: name(),
            total,
            published,
            waited_seconds: waits_since.map(|since| wait_time.saturating_sub(since).as_secs_f64()),
        });
    }
}
