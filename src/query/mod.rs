//! The commands that query the API once: events, and the history of a range.

pub(crate) mod backfill;
pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod listing;
mod progress_line;

pub(crate) use progress_line::{ProgressLine, end_progress, suspend_progress};

use std::fmt::Display;

/// Writes a message to standard error, for the person who runs the command.
#[expect(clippy::print_stderr, reason = "a person reads it, with any log level")]
pub(crate) fn print_message(message: &dyn Display) {
    suspend_progress(|| eprintln!("nexmo-audit-exporter: {message}"));
}
