//! When the exporter polls, and what it asks for.

mod clocks;
mod event_types;
mod intervals;
mod late;
mod paging;
mod paused_exporter;
