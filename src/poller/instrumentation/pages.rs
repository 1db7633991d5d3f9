//! The log lines and the metrics of what pages hold.

use audit_core::{account::Tally, outbox::LostLines, window::RegularLateness};
use jiff::Timestamp;

use crate::metrics::{AccountMetrics, log_seconds};

/// A page was counted.
pub(in crate::poller) struct PageCounted<'a> {
    pub(in crate::poller) tally: &'a Tally,
    pub(in crate::poller) at: Timestamp,
}

impl PageCounted<'_> {
    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        let Tally {
            lags,
            duplicates,
            malformed,
            late,
            overflow,
            before_floor,
        } = self.tally;
        for lag in lags {
            metrics.histograms.ingest_lag.observe(*lag);
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

/// A page has a time of creation that cannot be read.
pub(in crate::poller) struct TimeUnread<'a> {
    /// The form of the time, without its value.
    pub(in crate::poller) form: &'a str,
    /// `true` if the log has named no such form yet.
    pub(in crate::poller) is_first: bool,
}

impl TimeUnread<'_> {
    pub(in crate::poller) fn record(&self) {
        let form = self.form;
        if self.is_first {
            tracing::warn!(
                form,
                "times of creation of this form cannot be read; their events count as created when they were first seen, so report the form to this project"
            );
        } else {
            tracing::trace!(form, "a time of creation cannot be read");
        }
    }
}

/// An event belongs to another account than the one that is polled.
pub(in crate::poller) struct OtherAccountSeen {
    /// `true` if the log has not said so yet.
    pub(in crate::poller) is_first: bool,
}

impl OtherAccountSeen {
    pub(in crate::poller) fn record(&self) {
        if self.is_first {
            tracing::warn!(
                "the API lists events of an account_id other than the API key; they are counted, and the command events list shows the account_id of each"
            );
        } else {
            tracing::trace!("the API lists events of another account");
        }
    }
}

/// Events are late by the same span again and again.
pub(in crate::poller) struct RegularlyLate {
    pub(in crate::poller) lateness: RegularLateness,
}

impl RegularlyLate {
    pub(in crate::poller) fn record(&self) {
        let RegularLateness { events, late_by } = self.lateness;
        tracing::warn!(
            events,
            late_by_seconds = log_seconds(late_by.unsigned_abs()),
            "events are regularly late by about the same span, so that only deep polls find them; set --poll.lookback well above the span; if it is about a whole number of hours, the API writes times of creation in another time zone than its Date header"
        );
    }
}

/// Lines of the event log were so long that parts of them are left out.
pub(in crate::poller) struct LinesCut {
    pub(in crate::poller) lines: u64,
    /// `true` if the log has not said so yet.
    pub(in crate::poller) is_first: bool,
}

impl LinesCut {
    pub(in crate::poller) fn record(&self) {
        let lines = self.lines;
        if self.is_first {
            tracing::warn!(
                lines,
                "events are longer than the 64 KiB of a line of the event log; their largest fields are left out there, and the command events get shows an event whole"
            );
        } else {
            tracing::debug!(lines, "more lines of the event log are cut");
        }
    }
}

/// Lines of the event log were lost, since as many waited as may.
pub(in crate::poller) struct LinesLost {
    pub(in crate::poller) lost: LostLines,
}

impl LinesLost {
    pub(in crate::poller) fn record(&self, metrics: &AccountMetrics) {
        let LostLines { lines, is_first } = self.lost;
        if let Some(event_log) = &metrics.event_log {
            event_log.failures.inc_by(lines);
        }
        if is_first {
            tracing::error!(
                lines,
                "the event log has lost lines, since as many wait in the state as may; counting goes on: let the log be written again"
            );
        } else {
            tracing::debug!(lines, "the event log has lost more lines");
        }
    }
}
