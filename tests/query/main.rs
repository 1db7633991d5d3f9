//! The commands that query the API once, as a person or a script runs them.

mod backfill;
mod failures;
mod follow;
mod get;
mod limits;
mod list;
mod order;
mod run;
mod shifting_pages;
mod terminal;
