//! The program against real counterparts, none of them written for it: the
//! vendor's definition and client, a mock and a fuzzer made from the
//! definition, and the servers that scrape. The longest of them kills whatever can
//! be killed.
//!
//! Each needs a tool that `make tools` installs; see `test_support::tools`.

mod alerts;
mod backfill;
mod browser;
mod dashboards;
mod exactly_once;
mod exposition_formats;
mod openapi_definition;
mod prism;
mod prometheus_scrapes;
mod prometheus_server;
mod schemathesis;
mod vonage_client;
mod web_config;
