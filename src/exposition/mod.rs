//! What a scrape is answered with: the committed counts, rendered once after each
//! commit, and the metrics of the exporter's own work.
//!
//! Takes note of who scrapes, for the publish gate. Nothing here may count, wait,
//! or ask for the time.

mod accept;
mod blocks;
mod body;
mod events;
mod format;
mod generation;
mod gzip;
pub(crate) mod lines;
mod own;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use audit_core::{
    event::EventType,
    gate::Scrape,
    ledger::{Changes, Ledger},
};
use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    gate::SharedGate,
    metrics::{AccountMetrics, ProcessMetrics},
};
use body::Body;
use format::PerVariant;
use generation::{Generation, ShownAccount, ShownAccounts};
use own::OwnMetrics;

pub use accept::Accepted;
pub use format::{Encoding, Format, Variant};

/// How long the exporter's own metrics are shown as they were gathered, unless
/// events change: far below any scrape interval, and yet a storm of scrapes costs
/// no more than sending bytes.
const OWN_METRICS_KEEP: Duration = Duration::from_millis(100);

/// What a scrape is answered with. Shared by the pollers, which publish, and
/// the server, which answers; neither ever waits for the other's work.
#[derive(Debug)]
pub struct Exposition {
    process: Arc<ProcessMetrics>,
    settings: ExpositionSettings,
    showing: Mutex<ShownAccounts>,
    /// What `showing` was at some time; [`Exposition::on_show`] has it as it is.
    on_show: ArcSwap<Generation>,
    /// That of `showing`.
    generation: AtomicU64,
    own: ArcSwapOption<OwnMetrics>,
    /// What is kept ready, since someone asked for it.
    asked: PerVariant<AtomicBool>,
    gate: Arc<SharedGate>,
    /// How many accounts there ever were.
    accounts: AtomicU64,
}

/// One account's place in the exposition, which goes with it.
#[derive(Debug)]
pub struct AccountExposition {
    exposition: Arc<Exposition>,
    name: Option<Arc<str>>,
    id: u64,
}

/// What is shown beside the counts themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExpositionSettings {
    /// When the process started, if `OpenMetrics` is to tell when each counter was 0
    /// (`_created`).
    pub created: Option<Timestamp>,
}

impl Exposition {
    /// An exposition without an account.
    #[must_use]
    pub fn new(
        process: Arc<ProcessMetrics>,
        gate: Arc<SharedGate>,
        settings: ExpositionSettings,
    ) -> Self {
        Self {
            process,
            settings,
            on_show: ArcSwap::from_pointee(ShownAccounts::default().generation()),
            showing: Mutex::default(),
            generation: AtomicU64::new(0),
            own: ArcSwapOption::empty(),
            asked: PerVariant::default(),
            gate,
            accounts: AtomicU64::new(0),
        }
    }

    /// Gives an account its place, its own metrics included. One of the same name
    /// loses it, and what that has shown stays on show. Without a `name`, series
    /// bear no label `account`.
    #[must_use]
    pub fn add(
        self: &Arc<Self>,
        name: Option<Arc<str>>,
        metrics: Arc<AccountMetrics>,
    ) -> AccountExposition {
        let id = self.accounts.fetch_add(1, Ordering::Relaxed);
        self.show(|showing| showing.add(ShownAccount::new(id, name.clone(), metrics)));
        AccountExposition {
            exposition: Arc::clone(self),
            name,
            id,
        }
    }

    /// Changes what is on show.
    fn show<T>(&self, change: impl FnOnce(&mut ShownAccounts) -> T) -> T {
        let mut showing = lock(&self.showing);
        let outcome = change(&mut showing);
        let next = showing.generation_if_few();
        if let Some(next) = &next {
            // Before anyone can ask for it.
            for variant in Variant::ALL {
                if self.asked.of(variant).load(Ordering::Relaxed) {
                    next.body(variant);
                }
            }
        }
        self.generation.store(showing.generation, Ordering::Release);
        if let Some(next) = next {
            self.on_show.store(Arc::new(next));
        }
        outcome
    }

    /// What is on show now.
    fn on_show(&self) -> Arc<Generation> {
        let is_current =
            |on_show: &Generation| on_show.number >= self.generation.load(Ordering::Acquire);
        let on_show = self.on_show.load_full();
        if is_current(&on_show) {
            return on_show;
        }
        let showing = lock(&self.showing);
        let on_show = self.on_show.load_full();
        if is_current(&on_show) {
            return on_show;
        }
        let on_show = Arc::new(showing.generation());
        self.on_show.store(Arc::clone(&on_show));
        on_show
    }

    /// Everything, in parts that follow each other. A server that scrapes is taken
    /// note of; `uptime` is how long the process has been up.
    ///
    /// # Errors
    /// When the registry holds what the format cannot say.
    pub fn scrape(
        &self,
        scrape: Option<Scrape>,
        variant: Variant,
        uptime: Duration,
    ) -> prometheus::Result<Vec<Bytes>> {
        // In this order: a generation that is noted was served.
        let on_show = self.on_show();
        let shown =
            scrape.is_none_or(|scrape| self.gate.record_scrape(scrape, on_show.number, uptime));
        self.asked.of(variant).store(true, Ordering::Relaxed);
        let nothing;
        let events = if shown {
            on_show.body(variant)
        } else {
            nothing = Body::of(variant, []);
            &nothing
        };
        let own = self.own_metrics(&on_show, uptime);
        let own = own.part(variant)?;
        let trailer = (variant.encoding == Encoding::Gzip).then(|| {
            let trailer = events.checksum.then(own.checksum).trailer();
            Bytes::copy_from_slice(&trailer)
        });
        let parts = events.parts.iter().chain([&own.bytes]).cloned();
        Ok(parts.chain(trailer).collect())
    }

    fn own_metrics(&self, on_show: &Generation, uptime: Duration) -> Arc<OwnMetrics> {
        let generation = on_show.number;
        let kept = self.own.load_full().filter(|own| {
            own.generation == generation && uptime.saturating_sub(own.gathered) < OWN_METRICS_KEEP
        });
        kept.unwrap_or_else(|| {
            let hold = self.gate.hold(uptime);
            self.process.publish_hold.set(hold.as_secs_f64());
            let accounts = on_show.accounts().map(|account| account.metrics.gather());
            let families = own::together(std::iter::once(self.process.gather()).chain(accounts));
            let created = self.settings.created.map(Timestamp::as_millisecond);
            let own = OwnMetrics::new(families, created, generation, uptime);
            let own = Arc::new(own);
            self.own.store(Some(Arc::clone(&own)));
            own
        })
    }
}

impl AccountExposition {
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
        let Self {
            exposition,
            name,
            id,
        } = self;
        let created = exposition.settings.created.map(|_| start);
        let generation =
            exposition.show(|showing| showing.change((name, *id), changes, types, created));
        if let Some(generation) = generation {
            ledger.shown(generation);
        }
    }

    /// The same list as another account has, where there is an equal one: they are
    /// large beside all else of a quiet account.
    #[must_use]
    pub fn shared(&self, types: Vec<EventType>) -> Arc<[EventType]> {
        lock(&self.exposition.showing).known(&types.into())
    }
}

impl Drop for AccountExposition {
    fn drop(&mut self) {
        self.exposition
            .show(|showing| showing.remove((&self.name, self.id)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic elsewhere left behind is still the best that is known.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
