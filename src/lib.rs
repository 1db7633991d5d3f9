//! A Prometheus exporter for the Audit API of Nexmo (now Vonage).

pub mod simulator;
