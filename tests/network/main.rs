//! The way to the API: proxies, certificates, addresses and credentials, as a person sets
//! them, and what the program says when one of them is wrong.

mod addresses;
mod certificates;
mod credentials;
mod proxies;
mod trace_ids;
