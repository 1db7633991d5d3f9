//! A Prometheus exporter for the Audit API of Nexmo (now Vonage).

pub mod account;
pub mod client;
pub mod event;
pub mod exposition;
pub mod ledger;
pub mod metrics;
pub mod simulator;
pub mod window;
