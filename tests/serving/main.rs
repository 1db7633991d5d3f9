//! The pages and metrics that are served, and how the exporter ends.

mod demo;
mod formats;
mod golden;
mod last_call;
mod routes;
mod scrapers;
mod shutdown;
