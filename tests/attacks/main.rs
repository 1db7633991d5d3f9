//! The exporter among hostile and careless clients: what gets in, what it costs, and
//! that a scrape beside it all is answered as if nobody else were there.

mod crowds;
mod malformed;
mod passwords;
mod secured;
mod slow;
mod tls;
mod tls_client;
mod usage;
mod web_config;
