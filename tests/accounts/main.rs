//! Several accounts in one process: they are counted apart, fail apart, and change
//! while the exporter runs.

mod accounts_api;
mod check_config;
mod isolation;
mod queries;
mod reload;
mod shards;
