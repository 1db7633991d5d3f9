//! Queries of events, for people and their tools: `events list`, `events get` and
//! `events types`.
//!
//! Standard output has the events and nothing else. Events are shown with their personal
//! data: a query needs the account's secret.

mod get;
mod list;
mod output;
mod types;

pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use output::is_closed_pipe;
pub(crate) use types::types;
