//! What the exporter exposes: the catalogue of every family, and the metrics of
//! its own work. Knows no clock; whoever records says what time it is.

pub mod catalog;
mod self_metrics;

pub use catalog::{Family, Kind};
pub use self_metrics::SelfMetrics;
