//! What the exporter exposes: the catalogue of every family, and the metrics of
//! its own work. Knows no clock; whoever records says what time it is.

pub(crate) mod catalog;
mod process_metrics;
mod self_metrics;
mod time_gauge;

pub(crate) use catalog::{Family, Kind};
pub use process_metrics::ProcessMetrics;
pub use self_metrics::SelfMetrics;
