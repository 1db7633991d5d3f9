//! The metrics of the work for one account, on a registry of the `prometheus`
//! crate. The counts of events are not here: they are rendered from the ledger.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    Opts, Registry, core::Collector, proto::MetricFamily,
};

use super::{Family, catalog};

/// Seconds. A poll is one request on most days and thousands in a catch-up.
const POLL_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
/// Seconds. Up to the default lookback, then up to the deep one.
const LAG_BUCKETS: &[f64] = &[
    1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0,
];
/// Seconds. The last one is the default time limit of a request.
const REQUEST_BUCKETS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The metrics of the work for one account.
#[derive(Debug)]
pub struct SelfMetrics {
    registry: Registry,
    /// See [`catalog::UP`].
    pub up: Gauge,
    /// See [`catalog::POLL_DURATION`].
    pub poll_duration: Histogram,
    /// See [`catalog::POLL_FAILURES`].
    pub poll_failures: IntCounterVec,
    /// See [`catalog::INGEST_LAG`].
    pub ingest_lag: Histogram,
    /// See [`catalog::API_REQUESTS`].
    pub api_requests: IntCounterVec,
    /// See [`catalog::API_REQUEST_DURATION`].
    pub api_request_duration: HistogramVec,
    /// See [`catalog::DUPLICATE_EVENTS`].
    pub duplicate_events: IntCounter,
    /// See [`catalog::MALFORMED_EVENTS`].
    pub malformed_events: IntCounter,
    /// See [`catalog::LATE_EVENTS`].
    pub late_events: IntCounter,
    /// See [`catalog::OVERFLOW_EVENTS`].
    pub overflow_events: IntCounter,
    /// See [`catalog::PENDING_EVENTS`].
    pub pending_events: IntGauge,
    /// See [`catalog::RECONCILE_MISSING`].
    pub reconcile_missing: IntGauge,
    /// See [`catalog::STORAGE_FAILURES`].
    pub storage_failures: IntCounter,
    /// See [`catalog::LAST_POLL_SUCCESS`].
    pub last_poll_success: Moment,
    /// See [`catalog::WATERMARK`].
    pub watermark: Moment,
    /// See [`catalog::NEWEST_EVENT`].
    pub newest_event: Moment,
    /// See [`catalog::LAST_EVENT_OBSERVED`].
    pub last_event_observed: Moment,
}

/// A point in time that is absent until it is known: a 0 would read as 1970 and
/// set off every alert on its age.
#[derive(Debug)]
pub struct Moment(GaugeVec);

impl Moment {
    pub(super) fn on(registry: &Registry, family: &Family) -> prometheus::Result<Self> {
        on(registry, GaugeVec::new(opts(family), family.labels)).map(Self)
    }

    /// The time that is shown, to the millisecond.
    #[must_use]
    pub fn get(&self) -> Option<Timestamp> {
        let seconds = self
            .0
            .collect()
            .first()?
            .get_metric()
            .first()?
            .get_gauge()
            .get_value();
        Timestamp::from_duration(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
    }

    /// Shows this time from now on.
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds fit in 53 bits for 285,000 years"
    )]
    pub fn set(&self, time: Timestamp) {
        let seconds = time.as_millisecond() as f64 / 1000.0;
        self.0.with_label_values::<&str>(&[]).set(seconds);
    }
}

impl SelfMetrics {
    /// Registers everything, with a 0 for each value of `reasons` that a poll
    /// may fail for, so that the first failure is seen as an increase. With the
    /// label `account` where there are several.
    ///
    /// # Errors
    /// When the catalogue names one family twice or not by the rules.
    pub fn new(reasons: &[&str], account: Option<&str>) -> prometheus::Result<Self> {
        let label = account.map(|name| (catalog::ACCOUNT.to_owned(), name.to_owned()));
        let labels = label.map(|label| HashMap::from([label]));
        let registry = Registry::new_custom(None, labels)?;
        let metrics = Self {
            up: on(&registry, Gauge::with_opts(opts(&catalog::UP)))?,
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
            reconcile_missing: on(
                &registry,
                IntGauge::with_opts(opts(&catalog::RECONCILE_MISSING)),
            )?,
            storage_failures: on(
                &registry,
                IntCounter::with_opts(opts(&catalog::STORAGE_FAILURES)),
            )?,
            last_poll_success: Moment::on(&registry, &catalog::LAST_POLL_SUCCESS)?,
            watermark: Moment::on(&registry, &catalog::WATERMARK)?,
            newest_event: Moment::on(&registry, &catalog::NEWEST_EVENT)?,
            last_event_observed: Moment::on(&registry, &catalog::LAST_EVENT_OBSERVED)?,
            registry,
        };
        for reason in reasons {
            metrics.poll_failures.with_label_values(&[*reason]);
        }
        Ok(metrics)
    }

    /// Everything as it stands.
    #[must_use]
    pub fn gather(&self) -> Vec<MetricFamily> {
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
