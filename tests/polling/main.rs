//! When the exporter polls, and what it asks for.

#[path = "../support/mod.rs"]
mod support;

mod clocks;
mod pages;
mod paused;
mod types;
mod waits;
