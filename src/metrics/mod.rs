//! The metrics: the catalogue of all families, and the registries of the metrics of the
//! exporter's own work; and how the log writes durations. The counts of events are rendered
//! from the ledger instead: see `exposition`.
//!
//! Nothing here reads a clock: the caller passes the time.

mod account_metrics;
pub mod catalog;
mod event_log_metrics;
mod log_values;
mod process_metrics;
mod time_gauge;

pub use account_metrics::AccountMetrics;
pub(crate) use account_metrics::{CatchUp, Polls};
pub use catalog::{Family, Kind};
pub(crate) use event_log_metrics::{EventLogMetrics, LineNumbers};
pub(crate) use log_values::{log_seconds, log_time};
pub(crate) use process_metrics::FailedReload;
pub use process_metrics::ProcessMetrics;
