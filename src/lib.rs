//! A Prometheus exporter for the Audit API of Nexmo (now Vonage).

pub mod account;
pub mod client;
pub mod config;
pub mod event;
pub mod exposition;
pub mod ledger;
pub mod metrics;
pub mod poller;
pub mod simulator;
pub mod status;
pub mod window;
