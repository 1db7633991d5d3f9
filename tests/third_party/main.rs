//! The program with third-party software: the vendor's definition and client, a mock
//! and a fuzzer that are made from the definition, and servers that scrape. The longest
//! of these tests kills every program of its run.
//!
//! Each test needs a tool that `make tools` installs; see `test_support::tools`.

mod alerts;
mod backfill;
mod browser;
mod dashboards;
mod exactly_once;
mod exposition_formats;
mod landing_page;
mod many_accounts;
mod nginx;
mod openapi_definition;
mod prism;
mod prometheus_scrapes;
mod prometheus_server;
mod publish_gate;
mod replacement;
mod schemathesis;
mod unix_socket;
mod vonage_client;
mod web_config;
