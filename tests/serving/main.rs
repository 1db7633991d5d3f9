//! What is served, to how many, and how it ends.

#[path = "../support/mod.rs"]
mod support;

mod demo;
mod formats;
mod golden;
mod routes;
mod shutdown;
