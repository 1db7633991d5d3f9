//! Searches everything that the program leaves behind for secrets and personal data:
//! logs at every level in both formats, pages, metrics, files, the state, and the
//! output of commands. The API has every kind of fault, and quotes in each what it was
//! sent and the user of an event.
//!
//! A new secret, of an account or of a visitor of the pages, becomes a line in
//! `private_data.rs` and a setting of a run.

mod accounts;
mod api_faults;
mod configuration;
mod output;
mod panics;
mod private_data;
mod queries;
mod serving;
