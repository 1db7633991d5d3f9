//! A gauge that shows a time.

use jiff::{SignedDuration, Timestamp};
use prometheus::{GaugeVec, Registry, core::Collector};

use super::{
    Family,
    account_metrics::{on, opts},
};

/// A gauge that shows a time, and has no sample until a time is set: a 0 would be 1970,
/// and set off all alerts on its age.
#[derive(Debug)]
pub(crate) struct TimeGauge(GaugeVec);

impl TimeGauge {
    pub(super) fn on(registry: &Registry, family: &Family) -> prometheus::Result<Self> {
        on(registry, GaugeVec::new(opts(family), family.labels)).map(Self)
    }

    /// Returns the time that is shown, to the millisecond.
    pub(crate) fn get(&self) -> Option<Timestamp> {
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

    /// Shows `time` from now on.
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds fit in 53 bits for 285,000 years"
    )]
    pub(crate) fn set(&self, time: Timestamp) {
        let seconds = time.as_millisecond() as f64 / 1000.0;
        self.0.with_label_values::<&str>(&[]).set(seconds);
    }
}
