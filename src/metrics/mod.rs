//! The metrics: the catalogue of all families, the metrics of the exporter's own work, and how
//! the log writes durations. The counts of events are rendered from the ledger instead: see
//! `exposition`.
//!
//! The metrics of the process and the histograms are in a registry. Those of each account are
//! plain numbers, since there may be ten thousand accounts.
//!
//! Nothing here reads a clock: the caller passes the time.

mod account_metrics;
pub mod catalog;
mod event_log_metrics;
mod histograms;
mod log_values;
mod process_metrics;
mod values;

pub use account_metrics::AccountMetrics;
pub(crate) use account_metrics::{ACCOUNT_FAMILIES, AccountFamily, CatchUp, Polls, Shown};
pub use catalog::{Family, Kind};
pub(crate) use event_log_metrics::{EventLogMetrics, LineNumbers};
pub(crate) use log_values::{log_seconds, log_time};
pub(crate) use process_metrics::FailedReload;
pub use process_metrics::ProcessMetrics;
