//! The pages of the exporter, and what tells those who scrape from others.

mod accept;
mod landing;
pub(crate) mod reload;
mod routes;
mod visitor;

pub(crate) use routes::ExporterSite;
