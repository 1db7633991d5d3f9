//! Several accounts in one process: counted apart, failing apart, and changed while
//! the exporter runs.

mod accounts_api;
mod check_config;
mod isolation;
mod queries;
mod reload;
mod shards;
