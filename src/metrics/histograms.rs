//! The histograms, which all accounts share.

use prometheus::{Histogram, HistogramOpts, HistogramVec, Registry};

use super::{
    Family, catalog,
    process_metrics::{on, opts},
};

/// In seconds. Most polls are one request; a catch-up is thousands of requests.
const POLL_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
/// In seconds, up to the default lookback and then up to that of a deep poll.
const LAG_BUCKETS: &[f64] = &[
    1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0,
];
/// In seconds. The last bound is the default timeout of a request.
const REQUEST_BUCKETS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The histograms. They have no label `account`: how long the API takes is much the same for
/// each account, and histograms by account would be half of all series.
#[derive(Debug, Clone)]
pub(crate) struct Histograms {
    pub(crate) poll_duration: Histogram,
    pub(crate) ingest_lag: Histogram,
    pub(crate) api_request_duration: HistogramVec,
}

impl Histograms {
    pub(super) fn on(registry: &Registry) -> prometheus::Result<Self> {
        let histogram =
            |family, bounds| on(registry, Histogram::with_opts(buckets(family, bounds)));
        let requests = &catalog::API_REQUEST_DURATION;
        Ok(Self {
            poll_duration: histogram(&catalog::POLL_DURATION, POLL_BUCKETS)?,
            ingest_lag: histogram(&catalog::INGEST_LAG, LAG_BUCKETS)?,
            api_request_duration: on(
                registry,
                HistogramVec::new(buckets(requests, REQUEST_BUCKETS), requests.labels),
            )?,
        })
    }
}

fn buckets(family: &Family, buckets: &[f64]) -> HistogramOpts {
    HistogramOpts::from(opts(family)).buckets(buckets.to_vec())
}
