//! What a scrape is answered with: the committed counts, rendered once after each
//! commit, and the metrics of the exporter's own work.
//!
//! Takes note of who scrapes, for the publish gate. Nothing here may count, wait,
//! or ask for the time.

mod accept;
mod blocks;
mod format;
mod gzip;
mod lines;
mod own;
mod snapshot;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    event::EventType,
    ledger::{Changes, Gate, Ledger, Scrape},
    metrics::SelfMetrics,
};
use format::PerVariant;
use own::OwnMetrics;
use snapshot::{Body, Snapshot};

pub use crate::ledger::ScraperId;
pub use accept::Accepted;
pub use format::{Encoding, Format, Variant};

/// How long the exporter's own metrics are shown as they were gathered, unless
/// events change: far below any scrape interval, and yet a storm of scrapes costs
/// no more than sending bytes.
const OWN_METRICS_KEEP: Duration = Duration::from_millis(100);

/// What a scrape is answered with. Shared by the poller, which publishes, and
/// the server, which answers; neither ever waits for the other's work.
#[derive(Debug)]
pub struct Exposition {
    metrics: Arc<SelfMetrics>,
    settings: ExpositionSettings,
    on_show: ArcSwap<OnShow>,
    own: ArcSwapOption<OwnMetrics>,
    /// What is kept ready, since someone asked for it.
    asked: PerVariant<AtomicBool>,
    gate: Mutex<Gate>,
}

/// What is shown beside the counts themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExpositionSettings {
    /// When the process started, if `OpenMetrics` is to tell when each counter was 0
    /// (`_created`).
    pub created: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct OnShow {
    generation: u64,
    /// `None` until something was published: then not even a family is shown.
    events: Option<Snapshot>,
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
    pub fn new(metrics: Arc<SelfMetrics>, gate: Gate, settings: ExpositionSettings) -> Self {
        Self {
            metrics,
            settings,
            on_show: ArcSwap::default(),
            own: ArcSwapOption::empty(),
            asked: PerVariant::default(),
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

    /// Shows these counters as they are now, and all others as they were, in a new
    /// generation. Only what is committed may be shown. `types` are all that the
    /// vendor names, `start` is when every counter was 0.
    pub fn publish(
        &self,
        ledger: &mut Ledger,
        changes: &Changes,
        types: &Arc<[EventType]>,
        start: Timestamp,
    ) {
        let before = self.on_show.load();
        let generation = before.generation + 1;
        let created = self.settings.created.map(|_| start.as_millisecond());
        let nothing = || Snapshot::new(created).with(changes, types);
        let events = &before.events;
        let events = events
            .as_ref()
            .map_or_else(nothing, |events| events.with(changes, types));
        // Before anyone can ask for it, so that no scrape waits.
        for variant in Variant::ALL {
            if self.asked.of(variant).load(Ordering::Relaxed) {
                events.body(variant);
            }
        }
        self.on_show.store(Arc::new(OnShow {
            generation,
            events: Some(events),
        }));
        ledger.shown(generation);
    }

    /// A server that scrapes is about to be answered; says whether it may be shown
    /// events. One that is new may be once the poller has stored it.
    pub fn announce(&self, scraper: ScraperId, uptime: Duration) -> bool {
        let mut gate = self.gate();
        gate.announce(scraper, uptime);
        gate.may_show(scraper)
    }

    /// Everything, in parts that follow each other. A server that scrapes is taken
    /// note of; `uptime` is how long the process has been up.
    ///
    /// # Errors
    /// When the registry holds what the format cannot say.
    pub fn scrape(
        &self,
        visit: Option<Visit>,
        variant: Variant,
        uptime: Duration,
    ) -> prometheus::Result<Vec<Bytes>> {
        // In this order: a generation that is noted was served.
        let on_show = self.on_show.load();
        let shown = visit.is_none_or(|visit| self.note(visit, on_show.generation, uptime));
        self.asked.of(variant).store(true, Ordering::Relaxed);
        let nothing;
        let events = match &on_show.events {
            Some(events) if shown => events.body(variant),
            _ => {
                nothing = Body::of(variant, []);
                &nothing
            }
        };
        let own = self.own_metrics(on_show.generation, uptime);
        let own = own.piece(variant)?;
        let trailer = (variant.encoding == Encoding::Gzip).then(|| {
            let trailer = events.checksum.then(own.checksum).trailer();
            Bytes::copy_from_slice(&trailer)
        });
        let parts = events.parts.iter().chain([&own.bytes]).cloned();
        Ok(parts.chain(trailer).collect())
    }

    fn own_metrics(&self, generation: u64, uptime: Duration) -> Arc<OwnMetrics> {
        let kept = self.own.load_full().filter(|own| {
            own.generation == generation && uptime.saturating_sub(own.gathered) < OWN_METRICS_KEEP
        });
        kept.unwrap_or_else(|| {
            let families = self.metrics.gather();
            let created = self.settings.created.map(Timestamp::as_millisecond);
            let own = OwnMetrics::new(families, created, generation, uptime);
            let own = Arc::new(own);
            self.own.store(Some(Arc::clone(&own)));
            own
        })
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

#[cfg(test)]
mod tests;
