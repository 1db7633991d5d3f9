//! The exporter among hostile and careless clients: what gets in, what it costs, and
//! that a scrape beside it all is answered as if nobody else were there.

mod malformed_requests;
mod many_connections;
mod passwords;
mod resource_use;
mod secured_exporter;
mod slow_clients;
mod tls;
mod tls_client;
mod web_config;
