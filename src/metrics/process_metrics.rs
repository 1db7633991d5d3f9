//! The metrics of the process, whatever accounts it counts.

use jiff::Timestamp;
use prometheus::{
    Gauge, GaugeVec, Registry, process_collector::ProcessCollector, proto::MetricFamily,
};

use super::{
    catalog,
    self_metrics::{on, opts},
    time_gauge::TimeGauge,
};

/// The metrics of the process.
#[derive(Debug)]
pub struct ProcessMetrics {
    registry: Registry,
    pub(crate) publish_hold: Gauge,
    reload_successful: Gauge,
    reload_success: TimeGauge,
}

impl ProcessMetrics {
    /// Registers everything that is known without asking the system.
    ///
    /// # Errors
    /// When the catalogue names one family twice or not by the rules.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let reload = Gauge::with_opts(opts(&catalog::RELOAD_SUCCESSFUL));
        Ok(Self {
            publish_hold: on(&registry, Gauge::with_opts(opts(&catalog::PUBLISH_HOLD)))?,
            reload_successful: on(&registry, reload)?,
            reload_success: TimeGauge::on(&registry, &catalog::RELOAD_SUCCESS)?,
            registry,
        })
    }

    /// The configuration was read at this time, or could not be used.
    pub(crate) fn reloaded(&self, at: Option<Timestamp>) {
        self.reload_successful
            .set(f64::from(u8::from(at.is_some())));
        if let Some(at) = at {
            self.reload_success.set(at);
        }
    }

    /// Adds what only a real process has: its build and the state of the process.
    /// Fails when called twice.
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

    /// Everything as it stands.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }
}
