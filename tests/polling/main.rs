//! When the exporter polls, and what it asks for.

mod clocks;
mod pages;
mod paused;
mod types;
mod waits;
