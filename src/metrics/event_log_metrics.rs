//! The metrics of the event log of one account.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use audit_core::outbox::Written;
use prometheus::{
    IntCounter, IntGauge, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use super::{
    account_metrics::{on, opts},
    catalog,
};

/// The metrics of the event log of one account. Clones show the same values.
#[derive(Debug, Clone)]
pub(crate) struct EventLogMetrics {
    pub(crate) failures: IntCounter,
    pending: PendingLines,
}

/// The numbers of the last line that is stored, and of the last one that is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct LineNumbers {
    pub(crate) stored: Arc<AtomicU64>,
    pub(crate) written: Written,
}

/// A gauge of the lines between the two numbers. The value is computed when it is gathered,
/// since commits and the writer change the numbers at the same time.
#[derive(Debug, Clone)]
struct PendingLines {
    gauge: IntGauge,
    numbers: Arc<ArcSwap<LineNumbers>>,
}

impl EventLogMetrics {
    pub(super) fn on(registry: &Registry) -> prometheus::Result<Self> {
        let gauge = IntGauge::with_opts(opts(&catalog::EVENT_LOG_PENDING_LINES))?;
        let pending = PendingLines {
            gauge,
            numbers: Arc::default(),
        };
        Ok(Self {
            failures: on(
                registry,
                IntCounter::with_opts(opts(&catalog::EVENT_LOG_FAILURES)),
            )?,
            pending: on(registry, Ok(pending))?,
        })
    }

    /// Shows the lines between these numbers from now on.
    pub(crate) fn follow(&self, numbers: LineNumbers) {
        self.pending.numbers.store(numbers.into());
    }
}

impl LineNumbers {
    /// Returns the number of lines that are stored and not written.
    fn pending(&self) -> u64 {
        // A line is written only after it is stored, so this order counts none twice.
        let written = self.written.get();
        let stored = self.stored.load(Ordering::Acquire);
        stored.saturating_sub(written)
    }
}

impl Collector for PendingLines {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let pending = self.numbers.load().pending();
        self.gauge.set(i64::try_from(pending).unwrap_or(i64::MAX));
        self.gauge.collect()
    }
}
