//! Several accounts in one process: counted apart, failing apart, and changed while
//! the exporter runs.

mod apart;
mod check;
mod cloud;
mod commands;
mod reload;
mod shards;
