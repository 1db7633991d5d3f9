//! The metrics of the work for one account.

use std::borrow::Cow;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;

use super::{
    Family, ProcessMetrics, catalog,
    event_log_metrics::EventLogMetrics,
    histograms::Histograms,
    values::{Counter, EachCounter, Gauge, LabelledCounters, TimeGauge},
};

/// How the polls of an account go, as [`AccountMetrics::show_polls`] shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polls {
    /// The last poll succeeded.
    Succeed,
    /// History or an outage is read piece by piece, and nothing fails.
    CatchUp,
    /// The last poll failed, or there are none any more.
    Fail,
}

/// The reading of history or an outage, for the landing page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CatchUp {
    /// The time of creation of the first events that are read.
    pub(crate) from: Timestamp,
    /// The time at which the reading began.
    pub(crate) began: Timestamp,
    /// `true` if history is read, of which nothing is shown before its end.
    pub(crate) is_history: bool,
}

/// The metrics of the work for one account. The catalogue says what each means, and
/// `ACCOUNT_FAMILIES` which field a family shows.
#[derive(Debug)]
pub struct AccountMetrics {
    /// The histograms, which all accounts share.
    pub(crate) histograms: Histograms,
    pub(crate) up: Gauge,
    pub(crate) catching_up: Gauge,
    /// The last catch-up, which is under way while `catching_up` is 1.
    pub(crate) catch_up: ArcSwapOption<CatchUp>,
    pub(crate) poll_failures: LabelledCounters<1>,
    pub(crate) api_requests: LabelledCounters<2>,
    pub(crate) duplicate_events: Counter,
    pub(crate) malformed_events: Counter,
    pub(crate) late_events: Counter,
    pub(crate) overflow_events: Counter,
    pub(crate) pending_events: Gauge,
    pub(crate) gate_timeouts: Counter,
    pub(crate) reconcile_missing: Gauge,
    pub(crate) storage_failures: Counter,
    pub(crate) last_poll_success: TimeGauge,
    pub(crate) watermark: TimeGauge,
    pub(crate) newest_event: TimeGauge,
    pub(crate) last_event_observed: TimeGauge,
    /// `None` if no event log is kept.
    pub(crate) event_log: Option<EventLogMetrics>,
}

/// A family that each account shows.
#[derive(Debug)]
pub(crate) struct AccountFamily {
    pub(crate) family: Family,
    /// Returns what an account shows of the family.
    pub(crate) shown: fn(&AccountMetrics) -> Shown<'_>,
}

/// What an account shows of a family.
pub(crate) enum Shown<'a> {
    /// No sample.
    Nothing,
    Number(i64),
    /// Milliseconds since 1970.
    Time(i64),
    /// A sample for each counter.
    Counters(&'a dyn EachCounter),
}

macro_rules! account_families {
    ($($constant:ident: $metrics:ident $shown:expr;)*) => {
        /// The families that each account shows, in the order of their names.
        pub(crate) const ACCOUNT_FAMILIES: &[AccountFamily] = &[$(
            AccountFamily {
                family: catalog::$constant,
                shown: |$metrics| $shown,
            },
        )*];
    };
}

account_families! {
    API_REQUESTS: of Shown::Counters(&of.api_requests);
    CATCHING_UP: of Shown::Number(of.catching_up.get());
    DUPLICATE_EVENTS: of count(of.duplicate_events.get());
    EVENT_LOG_FAILURES: of match &of.event_log {
        Some(event_log) => count(event_log.failures.get()),
        None => Shown::Nothing,
    };
    EVENT_LOG_PENDING_LINES: of match &of.event_log {
        Some(event_log) => count(event_log.pending()),
        None => Shown::Nothing,
    };
    GATE_TIMEOUTS: of count(of.gate_timeouts.get());
    LAST_EVENT_OBSERVED: of time(&of.last_event_observed);
    LAST_POLL_SUCCESS: of time(&of.last_poll_success);
    LATE_EVENTS: of count(of.late_events.get());
    MALFORMED_EVENTS: of count(of.malformed_events.get());
    NEWEST_EVENT: of time(&of.newest_event);
    OVERFLOW_EVENTS: of count(of.overflow_events.get());
    PENDING_EVENTS: of Shown::Number(of.pending_events.get());
    POLL_FAILURES: of Shown::Counters(&of.poll_failures);
    RECONCILE_MISSING: of Shown::Number(of.reconcile_missing.get());
    STORAGE_FAILURES: of count(of.storage_failures.get());
    UP: of Shown::Number(of.up.get());
    WATERMARK: of time(&of.watermark);
}

fn count(count: u64) -> Shown<'static> {
    Shown::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

fn time(gauge: &TimeGauge) -> Shown<'_> {
    gauge.milliseconds().map_or(Shown::Nothing, Shown::Time)
}

impl AccountMetrics {
    /// Returns the metrics of an account without an event log. `reasons` are the values of
    /// the label `reason` of `nexmo_audit_poll_failures_total`, which begin at 0, so that the
    /// first failure is seen as an increase. `process` has the histograms that all accounts
    /// share.
    #[must_use]
    pub fn new(reasons: &[&'static str], process: &ProcessMetrics) -> Self {
        let mut reasons = reasons.to_vec();
        reasons.sort_unstable();
        let reasons = reasons.into_iter().map(|reason| [Cow::Borrowed(reason)]);
        Self {
            histograms: process.histograms.clone(),
            up: Gauge::default(),
            catching_up: Gauge::default(),
            catch_up: ArcSwapOption::empty(),
            poll_failures: LabelledCounters::beginning_with(reasons),
            api_requests: LabelledCounters::beginning_with([]),
            duplicate_events: Counter::default(),
            malformed_events: Counter::default(),
            late_events: Counter::default(),
            overflow_events: Counter::default(),
            pending_events: Gauge::default(),
            gate_timeouts: Counter::default(),
            reconcile_missing: Gauge::default(),
            storage_failures: Counter::default(),
            last_poll_success: TimeGauge::default(),
            watermark: TimeGauge::default(),
            newest_event: TimeGauge::default(),
            last_event_observed: TimeGauge::default(),
            event_log: None,
        }
    }

    /// Returns the same metrics with those of the event log.
    pub(crate) fn with_event_log(mut self) -> Self {
        self.event_log = Some(EventLogMetrics::default());
        self
    }

    /// Shows how the polls go, in the two metrics that say so.
    pub(crate) fn show_polls(&self, polls: Polls) {
        self.up.set(i64::from(polls != Polls::Fail));
        self.catching_up.set(i64::from(polls == Polls::CatchUp));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_of_accounts_are_in_order() {
        assert!(ACCOUNT_FAMILIES.is_sorted_by(|one, other| one.family.name < other.family.name));
    }
}
