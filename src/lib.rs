//! A Prometheus exporter for the Audit API of Nexmo (now Vonage).
//!
//! The exporter polls an API that lists audit events, counts each event once, stores the
//! counts, and shows them to servers that scrape. Code that does not depend on this
//! program is a crate of its own:
//!
//! - `audit-core` counts: events, pages, sweeps, windows, ledgers and the publish gate,
//!   without a clock, a network or a file.
//! - `audit-simulator` plays the Audit API, for `demo`, `simulate` and the tests.
//! - `exporter-web` is the web server of an exporter: TLS, passwords, headers and limits.
//! - `yaml-tree` reads YAML into a tree in which every value knows its line.
//!
//! The rest are the modules of this crate. Each imports only modules above it:
//!
//! - [`metrics`] lists all metrics, and holds those of the exporter's own work.
//! - [`config`] turns flags, environment variables and files into checked settings.
//! - [`gate`] shares the publish gate, which decides when a count may be shown, between
//!   pollers and scrapes.
//! - [`api`] sends requests to the API, and reads all pages of a range.
//! - [`exposition`] renders the response to a scrape.
//! - [`poller`] decides when to poll, and counts, stores and shows one account.
//! - [`store`] keeps the counts in a file, and writes the event log.
//! - `server` answers HTTP requests: routes, the landing page and the reload endpoint.
//! - `query` holds the commands that query the API once: `events` and `backfill`.
//! - [`state`] holds the commands that look at the stored counts and move them: `state`.
//! - [`exporter`] puts the parts of `serve` together: accounts, threads and reloads.
//! - [`cli`] parses the command line, starts the log, and runs each command.
//!
//! [`cli::run`] is where the program begins. `ARCHITECTURE.md` follows one event from the
//! API to the scrape that shows it.
//!
//! The crate is a library for its own tests, benchmarks and fuzzers, and promises no other
//! user a stable interface.

pub mod api;
pub mod cli;
pub mod config;
pub mod exporter;
pub mod exposition;
pub mod gate;
pub mod metrics;
pub mod poller;
mod query;
mod server;
pub mod state;
pub mod store;
