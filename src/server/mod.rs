//! The pages of the exporter, and how a scraper is told from other clients.

mod accept;
mod browser;
mod forwarded;
mod landing;
mod liveness;
mod own_address;
pub(crate) mod reload;
mod routes;
mod scrape_recorder;
mod scraper_addresses;
mod scraper_warnings;
mod visitor;

pub(crate) use liveness::Liveness;
pub(crate) use routes::ExporterSite;
pub(crate) use scrape_recorder::ScrapeRecorder;
