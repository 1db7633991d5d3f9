//! When the exporter polls, and what it asks for.

mod clocks;
mod event_types;
mod intervals;
mod paging;
mod paused_exporter;
