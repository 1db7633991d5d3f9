//! The exporter among hostile and careless clients: what they get, what they cost, and
//! that a scrape at the same time is answered as if they were not there.

mod malformed_requests;
mod many_connections;
mod passwords;
mod resource_use;
mod secured_exporter;
mod slow_clients;
mod tls;
mod tls_client;
mod web_config;
