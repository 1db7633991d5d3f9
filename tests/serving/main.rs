//! The pages and metrics that are served, and how the exporter ends.

mod catching_up;
mod demo;
mod formats;
mod golden;
mod last_call;
mod routes;
mod scrapers;
mod shutdown;
