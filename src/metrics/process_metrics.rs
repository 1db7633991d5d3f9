//! The metrics of the process.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use prometheus::{
    Gauge, GaugeVec, Registry, process_collector::ProcessCollector, proto::MetricFamily,
};

use super::{
    account_metrics::{on, opts},
    catalog,
    time_gauge::TimeGauge,
};

/// The metrics that belong to the process and not to one account.
#[derive(Debug)]
pub struct ProcessMetrics {
    registry: Registry,
    pub(crate) publish_hold: Gauge,
    reload_successful: Gauge,
    reload_success: TimeGauge,
    /// The time of the last reload if it failed.
    reload_failed: ArcSwapOption<Timestamp>,
}

impl ProcessMetrics {
    /// Registers all metrics that do not depend on the system.
    ///
    /// # Errors
    ///
    /// If a name in the catalogue is invalid or occurs twice.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let reload = Gauge::with_opts(opts(&catalog::RELOAD_SUCCESSFUL));
        Ok(Self {
            publish_hold: on(&registry, Gauge::with_opts(opts(&catalog::PUBLISH_HOLD)))?,
            reload_successful: on(&registry, reload)?,
            reload_success: TimeGauge::on(&registry, &catalog::RELOAD_SUCCESS)?,
            reload_failed: ArcSwapOption::empty(),
            registry,
        })
    }

    /// Records that the configuration was loaded, or could not be loaded, at the time `at`.
    pub(crate) fn reloaded(&self, at: Timestamp, is_loaded: bool) {
        self.reload_successful.set(f64::from(u8::from(is_loaded)));
        if is_loaded {
            self.reload_success.set(at);
        }
        let failed = (!is_loaded).then(|| Arc::new(at));
        self.reload_failed.store(failed);
    }

    /// Returns the time of the last reload if it failed.
    pub(crate) fn reload_failed(&self) -> Option<Timestamp> {
        self.reload_failed.load_full().map(|at| *at)
    }

    /// Registers the build information and the metrics that the system keeps of the process.
    /// Fails if called twice.
    pub(crate) fn register_process(&self) -> prometheus::Result<()> {
        let build = on(
            &self.registry,
            GaugeVec::new(opts(&catalog::BUILD_INFO), catalog::BUILD_INFO.labels),
        )?;
        build
            .with_label_values(&[
                env!("CARGO_PKG_VERSION"),
                env!("BUILD_REVISION"),
                env!("BUILD_RUSTVERSION"),
            ])
            .set(1.0);
        self.registry
            .register(Box::new(ProcessCollector::for_self()))
    }

    /// Returns all families with their current values.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}
