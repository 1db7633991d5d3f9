//! The pages of the exporter, and what tells those who scrape from others.

mod accept;
mod landing;
pub mod reload;
mod routes;
mod visitor;

pub use routes::ExporterSite;
