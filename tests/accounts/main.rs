//! Several accounts in one process: they are counted apart, fail apart, and change
//! while the exporter runs.

mod check_config;
mod failed_reload;
mod files;
mod isolation;
mod one_stranger;
mod queries;
mod reload;
mod secrets;
mod shards;
mod start_up;
mod taken_up;
mod vendor;
