//! What a scrape is answered with: the committed counts, rendered once after each
//! commit, and the metrics of the exporter's own work, rendered anew.
//!
//! Nothing here may count, wait, or ask for the time.

mod text;

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::{event::EventType, ledger::Ledger, metrics::SelfMetrics};

/// The content type of the text format.
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a scrape is answered with. Shared by the poller, which publishes, and
/// the server, which renders; neither ever waits for the other.
#[derive(Debug)]
pub struct Exposition {
    metrics: Arc<SelfMetrics>,
    events: ArcSwap<String>,
}

impl Exposition {
    /// An exposition that shows no event yet.
    #[must_use]
    pub fn new(metrics: Arc<SelfMetrics>) -> Self {
        Self {
            metrics,
            events: ArcSwap::default(),
        }
    }

    /// Shows these counts from now on. Only what is committed may be shown.
    pub fn publish(&self, ledger: &Ledger, types: &[EventType]) {
        self.events.store(Arc::new(text::render(ledger, types)));
    }

    /// Everything, in the text format 0.0.4.
    ///
    /// # Errors
    /// When the registry holds what the format cannot say.
    pub fn render(&self) -> prometheus::Result<String> {
        let mut text = String::clone(&self.events.load());
        self.metrics.render(&mut text)?;
        Ok(text)
    }
}
