//! When the exporter polls, and what it asks for.

mod clocks;
mod event_types;
mod intervals;
mod late;
mod limits;
mod paging;
mod paused_exporter;
mod requests;
mod retries;
mod time_forms;
