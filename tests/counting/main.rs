//! Events and lists that are not as the vendor defines them: an event that can be counted
//! is counted once.

mod limits;
mod malformed_events;
mod other_accounts;
mod page_claims;
mod series_cap;
