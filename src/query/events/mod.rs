//! Asks the Audit API for events, for people and their tools: `events list`,
//! `events get`, `events types`.
//!
//! What is written to standard output is what was asked for and nothing else. This
//! is the one place that shows personal data, to whoever holds the account's key.

mod get;
mod list;
mod output;
mod types;

pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use output::is_closed_pipe;
pub(crate) use types::types;
