//! What a person asks the API for: events, and the history of a range.

pub mod backfill;
pub mod events;
pub mod history;
pub mod listing;
