//! The metrics of the process.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use prometheus::{
    Gauge, GaugeVec, Opts, Registry, core::Collector, process_collector::ProcessCollector,
    proto::MetricFamily,
};

use super::{Family, catalog, histograms::Histograms};

/// The metrics that belong to the process and not to one account.
#[derive(Debug)]
pub struct ProcessMetrics {
    registry: Registry,
    /// The histograms, which all accounts share.
    pub(super) histograms: Histograms,
    pub(crate) publish_hold: Gauge,
    reload_successful: Gauge,
    /// No sample until the first success: a 0 would be 1970.
    reload_success: GaugeVec,
    /// The last reload if it failed.
    reload_failed: ArcSwapOption<FailedReload>,
}

/// A reload that failed, for the landing page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedReload {
    pub(crate) at: Timestamp,
    /// The first of its problems. The log has all of them.
    pub(crate) problems: Vec<String>,
    /// The number of further problems.
    pub(crate) more: usize,
}

impl FailedReload {
    /// The highest number of problems that are kept.
    const MAX_PROBLEMS: usize = 20;
    /// The longest problem that is kept whole, in characters.
    const MAX_CHARS: usize = 500;

    /// Keeps the first of `problems`.
    pub(crate) fn new(at: Timestamp, problems: Vec<String>) -> Self {
        let more = problems.len().saturating_sub(Self::MAX_PROBLEMS);
        let mut problems = problems;
        problems.truncate(Self::MAX_PROBLEMS);
        for problem in &mut problems {
            if let Some((end, _)) = problem.char_indices().nth(Self::MAX_CHARS) {
                problem.truncate(end);
                problem.push('…');
            }
        }
        Self { at, problems, more }
    }
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
            reload_success: on(
                &registry,
                GaugeVec::new(
                    opts(&catalog::RELOAD_SUCCESS),
                    catalog::RELOAD_SUCCESS.labels,
                ),
            )?,
            histograms: Histograms::on(&registry)?,
            reload_failed: ArcSwapOption::empty(),
            registry,
        })
    }

    /// Records that the configuration was loaded at the time `at`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds fit in 53 bits for 285,000 years"
    )]
    pub(crate) fn reloaded(&self, at: Timestamp) {
        self.reload_successful.set(1.0);
        let seconds = at.as_millisecond() as f64 / 1000.0;
        self.reload_success
            .with_label_values::<&str>(&[])
            .set(seconds);
        self.reload_failed.store(None);
    }

    /// Records that the configuration could not be loaded.
    pub(crate) fn reload_has_failed(&self, failed: FailedReload) {
        self.reload_successful.set(0.0);
        self.reload_failed.store(Some(failed.into()));
    }

    /// Returns the last reload if it failed.
    pub(crate) fn failed_reload(&self) -> Option<Arc<FailedReload>> {
        self.reload_failed.load_full()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_reload_keeps_so_much() {
        let problem = |number| format!("{number}{}", "é".repeat(FailedReload::MAX_CHARS));
        let failed = |problems| FailedReload::new(Timestamp::UNIX_EPOCH, problems);
        let many = failed((0..1000).map(problem).collect());
        assert_eq!((many.problems.len(), many.more), (20, 980));
        assert_eq!(
            many.problems[7].chars().count(),
            FailedReload::MAX_CHARS + 1
        );
        let few = failed(vec!["one".to_owned()]);
        assert_eq!((&*few.problems, few.more), (&["one".to_owned()][..], 0));
    }
}
