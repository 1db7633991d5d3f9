//! What a person asks the API for: events, and the history of a range.

pub(crate) mod backfill;
pub(crate) mod events;
pub(crate) mod history;
pub(crate) mod listing;
