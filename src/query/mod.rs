//! The commands that query the API once: events, and the history of a range.

pub(crate) mod backfill;
pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod listing;
