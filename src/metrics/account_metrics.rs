//! The metrics of the work for one account.

use std::collections::HashMap;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, core::Collector, proto::MetricFamily,
};

use super::{Family, catalog, event_log_metrics::EventLogMetrics, time_gauge::TimeGauge};

/// In seconds. Most polls are one request; a catch-up is thousands of requests.
const POLL_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
/// In seconds, up to the default lookback and then up to that of a deep poll.
const LAG_BUCKETS: &[f64] = &[
    1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0,
];
/// In seconds. The last bound is the default timeout of a request.
const REQUEST_BUCKETS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

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

/// The metrics of the work for one account. The catalogue says what each means.
#[derive(Debug)]
pub struct AccountMetrics {
    registry: Registry,
    pub(crate) up: Gauge,
    pub(crate) catching_up: IntGauge,
    /// The last catch-up, which is under way while `catching_up` is 1.
    pub(crate) catch_up: ArcSwapOption<CatchUp>,
    pub(crate) poll_duration: Histogram,
    pub(crate) poll_failures: IntCounterVec,
    pub(crate) ingest_lag: Histogram,
    pub(crate) api_requests: IntCounterVec,
    pub(crate) api_request_duration: HistogramVec,
    pub(crate) duplicate_events: IntCounter,
    pub(crate) malformed_events: IntCounter,
    pub(crate) late_events: IntCounter,
    pub(crate) overflow_events: IntCounter,
    pub(crate) pending_events: IntGauge,
    pub(crate) gate_timeouts: IntCounter,
    pub(crate) reconcile_missing: IntGauge,
    pub(crate) storage_failures: IntCounter,
    pub(crate) last_poll_success: TimeGauge,
    pub(crate) watermark: TimeGauge,
    pub(crate) newest_event: TimeGauge,
    pub(crate) last_event_observed: TimeGauge,
    /// `None` if no event log is kept.
    pub(crate) event_log: Option<EventLogMetrics>,
}

impl AccountMetrics {
    /// Registers all metrics. `reasons` are the values of the label `reason` of
    /// `nexmo_audit_poll_failures_total`, which begin at 0, so that the first failure is
    /// seen as an increase. `account` is the value of the label `account`; without it the
    /// series have no such label.
    ///
    /// # Errors
    ///
    /// If a name in the catalogue is invalid or occurs twice.
    pub fn new(reasons: &[&str], account: Option<&str>) -> prometheus::Result<Self> {
        let label = account.map(|name| (catalog::ACCOUNT.to_owned(), name.to_owned()));
        let labels = label.map(|label| HashMap::from([label]));
        let registry = Registry::new_custom(None, labels)?;
        let metrics = Self {
            up: on(&registry, Gauge::with_opts(opts(&catalog::UP)))?,
            catching_up: on(&registry, IntGauge::with_opts(opts(&catalog::CATCHING_UP)))?,
            catch_up: ArcSwapOption::empty(),
            poll_duration: on(
                &registry,
                Histogram::with_opts(buckets(&catalog::POLL_DURATION, POLL_BUCKETS)),
            )?,
            poll_failures: on(&registry, counters(&catalog::POLL_FAILURES))?,
            ingest_lag: on(
                &registry,
                Histogram::with_opts(buckets(&catalog::INGEST_LAG, LAG_BUCKETS)),
            )?,
            api_requests: on(&registry, counters(&catalog::API_REQUESTS))?,
            api_request_duration: on(
                &registry,
                HistogramVec::new(
                    buckets(&catalog::API_REQUEST_DURATION, REQUEST_BUCKETS),
                    catalog::API_REQUEST_DURATION.labels,
                ),
            )?,
            duplicate_events: on(
                &registry,
                IntCounter::with_opts(opts(&catalog::DUPLICATE_EVENTS)),
            )?,
            malformed_events: on(
                &registry,
                IntCounter::with_opts(opts(&catalog::MALFORMED_EVENTS)),
            )?,
            late_events: on(
                &registry,
                IntCounter::with_opts(opts(&catalog::LATE_EVENTS)),
            )?,
            overflow_events: on(
                &registry,
                IntCounter::with_opts(opts(&catalog::OVERFLOW_EVENTS)),
            )?,
            pending_events: on(
                &registry,
                IntGauge::with_opts(opts(&catalog::PENDING_EVENTS)),
            )?,
            gate_timeouts: on(
                &registry,
                IntCounter::with_opts(opts(&catalog::GATE_TIMEOUTS)),
            )?,
            reconcile_missing: on(
                &registry,
                IntGauge::with_opts(opts(&catalog::RECONCILE_MISSING)),
            )?,
            storage_failures: on(
                &registry,
                IntCounter::with_opts(opts(&catalog::STORAGE_FAILURES)),
            )?,
            last_poll_success: TimeGauge::on(&registry, &catalog::LAST_POLL_SUCCESS)?,
            watermark: TimeGauge::on(&registry, &catalog::WATERMARK)?,
            newest_event: TimeGauge::on(&registry, &catalog::NEWEST_EVENT)?,
            last_event_observed: TimeGauge::on(&registry, &catalog::LAST_EVENT_OBSERVED)?,
            event_log: None,
            registry,
        };
        for reason in reasons {
            metrics.poll_failures.with_label_values(&[*reason]);
        }
        Ok(metrics)
    }

    /// Registers the metrics of the event log too.
    pub(crate) fn with_event_log(mut self) -> prometheus::Result<Self> {
        self.event_log = Some(EventLogMetrics::on(&self.registry)?);
        Ok(self)
    }

    /// Shows how the polls go, in the two metrics that say so.
    pub(crate) fn show_polls(&self, polls: Polls) {
        self.up.set(if polls == Polls::Fail { 0.0 } else { 1.0 });
        self.catching_up.set(i64::from(polls == Polls::CatchUp));
    }

    /// Returns all families with their current values.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}

pub(super) fn on<C: Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> prometheus::Result<C> {
    let collector = collector?;
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

pub(super) fn opts(family: &Family) -> Opts {
    Opts::new(family.name, family.help)
}

fn buckets(family: &Family, buckets: &[f64]) -> HistogramOpts {
    HistogramOpts::from(opts(family)).buckets(buckets.to_vec())
}

fn counters(family: &Family) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(opts(family), family.labels)
}
