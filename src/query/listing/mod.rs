//! Audit events as people and their tools read them: every field that the API gives,
//! which events are shown, and how they are written.
//!
//! This code sees personal data, so only commands that a person runs by hand use it.
//! It is pure: the width of the terminal and the time zone are arguments.

mod csv;
mod detail;
mod event_table;
mod filter;
mod printable;
mod table;
mod zone;

pub(crate) use csv::CsvWriter;
pub(crate) use detail::detail;
pub(crate) use event_table::EventTable;
pub(crate) use filter::{Filter, Seen, UserFilter};
pub(crate) use printable::{fitted, printable};
pub(crate) use table::{Column, Layout, Table};
pub(crate) use zone::Zone;
