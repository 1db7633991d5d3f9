//! A Prometheus exporter for the Audit API of Nexmo (now Vonage).
//!
//! The way of one event: page → [`event`] → [`window`] → [`ledger`] →
//! [`exposition`]. The modules on that way are pure: no clock, no network, no file.

pub mod app;
pub mod backfill;
pub mod cli;
pub mod client;
pub mod config;
pub mod credentials;
pub mod demo;
pub mod event_log;
pub mod events;
pub mod exposition;
pub mod healthcheck;
pub mod history;
pub mod listing;
pub mod logging;
pub mod metrics;
pub mod paging;
pub mod poller;
pub mod reload;
pub mod roster;
pub mod run;
pub mod server;
pub mod status;
pub mod storage;
pub mod store;
