//! What a scrape is answered with: the committed counts, rendered once after each
//! commit, and the metrics of the exporter's own work, rendered anew.
//!
//! Takes note of who scrapes, for the publish gate. Nothing here may count, wait,
//! or ask for the time.

mod text;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::{
    event::EventType,
    ledger::{Gate, Ledger, Scrape},
    metrics::SelfMetrics,
};

pub use crate::ledger::ScraperId;

/// The content type of the text format.
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a scrape is answered with. Shared by the poller, which publishes, and
/// the server, which renders; neither ever waits for the other's work.
#[derive(Debug)]
pub struct Exposition {
    metrics: Arc<SelfMetrics>,
    snapshot: ArcSwap<Snapshot>,
    gate: Mutex<Gate>,
}

/// The events as they are shown from one commit to the next.
#[derive(Debug, Default)]
struct Snapshot {
    generation: u64,
    events: String,
}

/// A server that scrapes, as a request shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// Who.
    pub scraper: ScraperId,
    /// Over which connection.
    pub connection: u64,
    /// The time limit that it told.
    pub timeout: Duration,
}

/// Where counting stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Everything that the API showed up to this time is counted.
    pub watermark: Option<Timestamp>,
    /// Events counted and not shown yet.
    pub pending: i64,
    /// How long the publish gate holds; zero while it is open to all.
    pub hold: Duration,
}

impl Exposition {
    /// An exposition that shows no event yet.
    #[must_use]
    pub fn new(metrics: Arc<SelfMetrics>, gate: Gate) -> Self {
        Self {
            metrics,
            snapshot: ArcSwap::default(),
            gate: Mutex::new(gate),
        }
    }

    /// The publish gate, locked; for no longer than a look takes.
    pub fn gate(&self) -> MutexGuard<'_, Gate> {
        // What a panic elsewhere left behind is still the best that is known.
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where counting stands, for people.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let hold = Duration::try_from_secs_f64(self.metrics.publish_hold.get());
        Standing {
            watermark: self.metrics.watermark.get(),
            pending: self.metrics.pending_events.get(),
            hold: hold.unwrap_or_default(),
        }
    }

    /// Shows what the ledger says from now on, in a new generation. Only what is
    /// committed may be shown.
    pub fn publish(&self, ledger: &mut Ledger, types: &[EventType]) {
        let generation = self.snapshot.load().generation + 1;
        let events = text::render(ledger, types);
        self.snapshot
            .store(Arc::new(Snapshot { generation, events }));
        ledger.shown(generation);
    }

    /// A server that scrapes is about to be answered; says whether it may be shown
    /// events. One that is new may be once the poller has stored it.
    pub fn announce(&self, scraper: ScraperId, uptime: Duration) -> bool {
        let mut gate = self.gate();
        gate.announce(scraper, uptime);
        gate.may_show(scraper)
    }

    /// Everything, in the text format 0.0.4. A server that scrapes is taken note
    /// of; `uptime` is how long the process has been up.
    ///
    /// # Errors
    /// When the registry holds what the format cannot say.
    pub fn scrape(&self, visit: Option<Visit>, uptime: Duration) -> prometheus::Result<String> {
        // In this order: a generation that is noted was served.
        let snapshot = self.snapshot.load();
        let shown = visit.is_none_or(|visit| self.note(visit, snapshot.generation, uptime));
        let mut text = if shown {
            snapshot.events.clone()
        } else {
            String::new()
        };
        self.metrics.render(&mut text)?;
        Ok(text)
    }

    /// Takes note of a scrape; says whether it may be shown events.
    fn note(&self, visit: Visit, generation: u64, uptime: Duration) -> bool {
        let Visit {
            scraper,
            connection,
            timeout,
        } = visit;
        let mut gate = self.gate();
        let shown = gate.may_show(scraper);
        // Who is shown nothing has seen no generation.
        let generation = if shown { generation } else { 0 };
        gate.note(
            Scrape {
                scraper,
                connection,
                timeout,
                generation,
            },
            uptime,
        );
        shown
    }
}
