//! A Prometheus exporter for the Audit API of Nexmo (now Vonage).

pub mod account;
pub mod event;
pub mod ledger;
pub mod simulator;
pub mod window;
