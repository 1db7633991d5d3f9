//! Counts the audit events of an account exactly once, and says when each count may
//! be shown.

pub mod account;
pub mod event;
pub mod gate;
pub mod ledger;
pub mod outbox;
pub mod raw_event;
pub mod sweep;
pub mod window;
