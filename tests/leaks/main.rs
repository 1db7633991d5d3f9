//! Looks for secrets and personal data in everything that the program leaves behind:
//! logs at every level in both forms, pages, metrics, files, the state, what commands
//! print. The API plays every fault there is, and quotes in each what it was sent and
//! whom an event is about.
//!
//! A secret more, of an account or of a user of the web pages, is a line in
//! `private_data.rs` and a run that is given it.

mod accounts;
mod api_faults;
mod configuration;
mod output;
mod panics;
mod private_data;
mod queries;
mod serving;
