//! The queries, as a person or a script runs them.

#[path = "../support/mod.rs"]
mod support;

mod backfill;
mod failures;
mod follow;
mod get;
mod list;
mod run;
