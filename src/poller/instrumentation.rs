//! The log lines and the metrics of a poller. Each struct stands for one occurrence and
//! both logs and counts it, so that the log and the metrics agree.
//!
//! Every poll has a line at level debug. A line at level info or above is a change of
//! state.

use std::{sync::Arc, time::Duration};

use audit_core::{
    account::Tally,
    outbox::LostLines,
    window::{Clocks, RegularLateness},
};
use jiff::{SignedDuration, Timestamp};

use super::collector::{PollCounts, PollError};
use crate::{
    api::ApiError,
    metrics::{AccountMetrics, CatchUp, Polls, log_seconds, log_time},
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

/// A page has a time of creation that cannot be read.
pub(super) struct TimeUnread<'a> {
    /// The form of the time, without its value.
    pub(super) form: &'a str,
    /// `true` if the log has named no such form yet.
    pub(super) is_first: bool,
}

impl TimeUnread<'_> {
    pub(super) fn record(&self) {
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
pub(super) struct OtherAccountSeen {
    /// `true` if the log has not said so yet.
    pub(super) is_first: bool,
}

impl OtherAccountSeen {
    pub(super) fn record(&self) {
        if self.is_first {
            tracing::warn!(
                "the API lists events of an account_id other than the API key; they are counted, and the command events list shows the account_id of each"
            );
        } else {
            tracing::trace!("the API lists events of another account");
        }
    }
}

/// Lines of the event log were lost, since as many waited as may.
pub(super) struct LinesLost {
    pub(super) lost: LostLines,
}

impl LinesLost {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
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

/// Lines of the event log were so long that parts of them are left out.
pub(super) struct LinesCut {
    pub(super) lines: u64,
    /// `true` if the log has not said so yet.
    pub(super) is_first: bool,
}

impl LinesCut {
    pub(super) fn record(&self) {
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

/// A commit has waited for the disk for a while, and goes on to wait.
pub(super) struct CommitHangs;

impl CommitHangs {
    pub(super) fn record(metrics: &AccountMetrics) {
        metrics.storage_failures.inc();
        metrics.up.set(0.0);
        // The disk is named once for all accounts.
        tracing::debug!("the commit has not ended yet");
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
        metrics.show_polls(Polls::Succeed);
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
            watermark = self.watermark.map(log_time),
            "poll succeeded"
        );
    }
}

/// The start of counting is known. An account without stored counts needs the clock of
/// the API for this.
pub(super) struct CountingBegins {
    pub(super) from: Timestamp,
    pub(super) clocks: Clocks,
}

impl CountingBegins {
    /// A difference between the two clocks that is no matter of seconds.
    const LARGE: SignedDuration = SignedDuration::from_mins(1);

    pub(super) fn record(&self) {
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
pub(super) struct ClockDisproved {
    pub(super) clocks: Clocks,
    /// The time of creation of the event.
    pub(super) event: Timestamp,
}

impl ClockDisproved {
    pub(super) fn record(&self) {
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
pub(super) struct StateContinued {
    pub(super) watermark: Timestamp,
    pub(super) now: Timestamp,
}

impl StateContinued {
    /// A restart or an upgrade takes minutes. A state that is older is that of an exporter
    /// that was stopped for long, or a copy that was put back, and only a person knows
    /// which of the two.
    const OLD: SignedDuration = SignedDuration::from_hours(1);

    pub(super) fn record(&self) {
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
        tracing::info!(
            failed_since = log_time(self.failed_since),
            counted = self.counted,
            "polls succeed again"
        );
    }
}

/// A poll failed.
pub(super) struct PollFailed<'a> {
    pub(super) error: &'a PollError,
    pub(super) took: Duration,
    pub(super) next_in: Duration,
    /// `true` if no poll has failed for this reason since the last success.
    pub(super) is_first: bool,
}

impl PollFailed<'_> {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        metrics.show_polls(Polls::Fail);
        metrics.poll_duration.observe(self.took.as_secs_f64());
        let reason = self.error.reason();
        if let PollError::Api(_) = self.error {
            metrics.poll_failures.with_label_values(&[reason]).inc();
        }
        if self.is_first {
            tracing::warn!(reason, error = %self.error, next_in_seconds = log_seconds(self.next_in), "polls fail; no event is lost, since the next poll asks for the same range again");
        } else {
            tracing::debug!(reason, error = %self.error, next_in_seconds = log_seconds(self.next_in), "poll failed again");
        }
    }
}

/// A piece of a deep sweep failed.
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

/// A commit could not be stored. The error fails the poll too, and [`PollFailed`] logs it
/// at a higher level.
pub(super) struct CommitFailed<'a, E> {
    pub(super) error: &'a E,
}

impl<E: std::error::Error> CommitFailed<'_, E> {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        metrics.storage_failures.inc();
        tracing::debug!(error = %self.error, "a commit failed; the counts of the last commit are still shown");
    }
}

/// A piece was counted and committed, and more pieces follow.
pub(super) struct PieceCounted {
    /// The time of creation from which the poll reads.
    pub(super) from: Timestamp,
    pub(super) up_to: Timestamp,
    pub(super) now: Timestamp,
    pub(super) counts: PollCounts,
    /// `true` if the piece is history, of which nothing is shown before its end.
    pub(super) is_history: bool,
}

impl PieceCounted {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
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

/// The API reports more events of a piece than it returns.
pub(super) struct EventsMissing {
    pub(super) missing: u64,
    /// `true` if no event was missing from the piece before.
    pub(super) is_first: bool,
}

impl EventsMissing {
    pub(super) fn record(&self) {
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
pub(super) struct SecondTooDense {
    pub(super) second: Timestamp,
    pub(super) missing: u64,
    /// `true` if the log has not named this second yet.
    pub(super) is_first: bool,
}

impl SecondTooDense {
    pub(super) fn record(&self) {
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
pub(super) struct LimitMet {
    pub(super) events: u64,
}

impl LimitMet {
    pub(super) fn record(&self) {
        tracing::info!(
            events = self.events,
            "the API shows only so many events of one query; longer ranges are read in parts"
        );
    }
}

/// A deep sweep has read its whole range.
pub(super) struct DeepSweepEnded {
    pub(super) missing: u64,
}

impl DeepSweepEnded {
    pub(super) fn record(&self) {
        tracing::debug!(missing = self.missing, "a deep poll has ended");
    }
}

/// `missing` events are in the list of the API, and the API does not return them.
pub(super) struct MissingObserved {
    pub(super) missing: u64,
}

impl MissingObserved {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        let missing = i64::try_from(self.missing).unwrap_or(i64::MAX);
        metrics.reconcile_missing.set(missing);
    }
}

/// Events are late by the same span again and again.
pub(super) struct RegularlyLate {
    pub(super) lateness: RegularLateness,
}

impl RegularlyLate {
    pub(super) fn record(&self) {
        let RegularLateness { events, late_by } = self.lateness;
        tracing::warn!(
            events,
            late_by_seconds = log_seconds(late_by.unsigned_abs()),
            "events are regularly late by about the same span, so that only deep polls find them; set --poll.lookback well above the span; if it is about a whole number of hours, the API writes times of creation in another time zone than its Date header"
        );
    }
}

/// `pending` events are counted and wait for the publish gate.
pub(super) struct PendingObserved {
    pub(super) pending: u64,
}

impl PendingObserved {
    pub(super) fn record(&self, metrics: &AccountMetrics) {
        let pending = i64::try_from(self.pending).unwrap_or(i64::MAX);
        metrics.pending_events.set(pending);
    }
}

/// Events of the account that the gate let through before every scraper was known to have
/// seen the value before them.
pub(super) struct GateTimeouts {
    /// The number of all such events, from the first start of the exporter on.
    pub(super) all: u64,
}

impl GateTimeouts {
    /// Shows the number that was stored by an earlier process.
    pub(super) fn restore(&self, metrics: &AccountMetrics) {
        let shown = metrics.gate_timeouts.get();
        metrics.gate_timeouts.inc_by(self.all.saturating_sub(shown));
    }

    pub(super) fn record(&self, metrics: &AccountMetrics) {
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

/// The list of event types could not be read; counting goes on without it.
pub(super) struct TypesFailed<'a> {
    pub(super) error: &'a ApiError,
    /// `true` if the request before this one did not fail.
    pub(super) is_first: bool,
}

impl TypesFailed<'_> {
    pub(super) fn record(&self) {
        if self.is_first {
            tracing::warn!(error = %self.error, "the list of event types could not be read; the series of a type that is not known begins with its first event");
        } else {
            tracing::debug!(error = %self.error, "the list of event types still cannot be read");
        }
    }
}
