//! A Prometheus exporter for the Audit API of Nexmo (now Vonage).

pub mod api;
pub mod cli;
pub mod config;
pub mod exporter;
pub mod exposition;
pub mod gate;
pub mod metrics;
pub mod poller;
pub(crate) mod query;
mod server;
pub mod store;
