//! The response to a scrape: the committed counts, rendered once after each commit, and
//! the metrics of the exporter's own work.
//!
//! Each answer says which generation it shows, so that the server can record the scrape in
//! the publish gate once the answer was sent. This module never counts, waits or reads a
//! clock.

mod accept;
mod account_families;
mod blocks;
mod body;
mod event_groups;
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
    gate::ScraperId,
    ledger::{Changes, EndedExemplars, Ledger},
};
use bytes::Bytes;
use jiff::Timestamp;

use crate::{
    gate::SharedGate,
    metrics::{AccountMetrics, ProcessMetrics},
};
use account_families::AccountFamilies;
use body::Body;
use event_groups::EventGroups;
use format::PerVariant;
use generation::{Generation, ShownAccount, ShownAccounts};
use own::OwnMetrics;

pub use accept::Accepted;
pub(crate) use accept::names_format;
pub use format::{Encoding, Format, Variant};

/// The time for which the exporter's own metrics are kept once they are gathered, unless
/// a new generation comes first. It is far below any scrape interval, and with it many
/// scrapes at once cost no more than sending their bytes.
const OWN_METRICS_KEEP: Duration = Duration::from_millis(100);

/// The response to a scrape. The pollers publish to it and the server reads from it, and
/// neither waits for the other's work.
#[derive(Debug)]
pub struct Exposition {
    process: Arc<ProcessMetrics>,
    settings: ExpositionSettings,
    accounts: Mutex<ShownAccounts>,
    /// A generation of `accounts`, which may be an old one; [`Exposition::current`] returns
    /// the newest.
    latest: ArcSwap<Generation>,
    /// The number of the newest generation of `accounts`.
    newest: AtomicU64,
    event_groups: Mutex<EventGroups>,
    /// `true` if each generation is rendered at once, since there are few accounts.
    renders_at_once: AtomicBool,
    own: ArcSwapOption<OwnMetrics>,
    account_families: Mutex<AccountFamilies>,
    /// `true` for a variant that was scraped: its body is rendered with each commit.
    scraped: PerVariant<AtomicBool>,
    gate: Arc<SharedGate>,
    /// The id of the next account.
    next_id: AtomicU64,
}

/// The handle by which a poller shows the counts of its account. The account is shown
/// until the handle and all its clones are dropped.
#[derive(Debug, Clone)]
pub struct AccountExposition(Arc<Shown>);

/// An account that is shown until this value is dropped.
#[derive(Debug)]
struct Shown {
    exposition: Arc<Exposition>,
    name: Option<Arc<str>>,
    id: u64,
}

/// The answer to a scrape.
#[derive(Debug)]
pub struct MetricsAnswer {
    /// The bytes, as parts that follow each other.
    pub parts: Vec<Bytes>,
    /// The number of the generation whose events the answer shows; 0 if it shows none.
    pub generation: u64,
}

/// The settings of an [`Exposition`].
#[derive(Debug, Clone, Copy, Default)]
pub struct ExpositionSettings {
    /// The time when the process started, if `OpenMetrics` responses have `_created`
    /// samples; `None` otherwise.
    pub created: Option<Timestamp>,
}

impl Exposition {
    /// Creates an exposition without accounts.
    #[must_use]
    pub fn new(
        process: Arc<ProcessMetrics>,
        gate: Arc<SharedGate>,
        settings: ExpositionSettings,
    ) -> Self {
        let created = settings.created.map(Timestamp::as_millisecond);
        Self {
            process,
            settings,
            account_families: Mutex::new(AccountFamilies::new(created)),
            accounts: Mutex::default(),
            latest: ArcSwap::from_pointee(ShownAccounts::default().generation()),
            newest: AtomicU64::new(0),
            event_groups: Mutex::default(),
            renders_at_once: AtomicBool::new(true),
            own: ArcSwapOption::empty(),
            scraped: PerVariant::default(),
            gate,
            next_id: AtomicU64::new(0),
        }
    }

    /// Returns the metrics of the process.
    pub(crate) fn process(&self) -> &ProcessMetrics {
        &self.process
    }

    /// Adds an account and the metrics of its poller. An account of the same name is
    /// replaced, and the new account shows the same events. Without a `name`, the series
    /// have no label `account`.
    #[must_use]
    pub fn add(
        self: &Arc<Self>,
        name: Option<Arc<str>>,
        metrics: Arc<AccountMetrics>,
    ) -> AccountExposition {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.change(|accounts| accounts.add(ShownAccount::new(id, name.clone(), metrics)));
        AccountExposition(Arc::new(Shown {
            exposition: Arc::clone(self),
            name,
            id,
        }))
    }

    /// Changes the shown accounts, which makes a new generation.
    fn change<T>(&self, change: impl FnOnce(&mut ShownAccounts) -> T) -> T {
        let mut accounts = lock(&self.accounts);
        let outcome = change(&mut accounts);
        let next = accounts.generation_if_few();
        if let Some(next) = &next {
            // Renders the bodies before any scrape can see the generation.
            for variant in Variant::ALL {
                if self.scraped.of(variant).load(Ordering::Relaxed) {
                    next.body(variant, &self.event_groups);
                }
            }
        }
        self.renders_at_once
            .store(next.is_some(), Ordering::Relaxed);
        self.newest.store(accounts.generation, Ordering::Release);
        if let Some(next) = next {
            self.latest.store(Arc::new(next));
        }
        outcome
    }

    /// Returns the newest generation.
    fn current(&self) -> Arc<Generation> {
        let is_newest =
            |generation: &Generation| generation.number >= self.newest.load(Ordering::Acquire);
        let latest = self.latest.load_full();
        if is_newest(&latest) {
            return latest;
        }
        let accounts = lock(&self.accounts);
        // Another scrape may have stored the generation meanwhile.
        let latest = self.latest.load_full();
        if is_newest(&latest) {
            return latest;
        }
        let latest = Arc::new(accounts.generation());
        self.latest.store(Arc::clone(&latest));
        latest
    }

    /// Returns `true` if a scrape takes so long that it may not keep a thread from other
    /// answers: with many accounts it renders what has changed since the last one.
    pub(crate) fn takes_long(&self) -> bool {
        !self.renders_at_once.load(Ordering::Relaxed)
    }

    /// Returns the answer to `scraper`, or to a client that is none. The gate decides
    /// whether a scraper is shown events; any other client is. `uptime` is the time since
    /// the process started.
    ///
    /// # Errors
    /// The error of the format if it cannot represent a metric.
    pub fn scrape(
        &self,
        scraper: Option<ScraperId>,
        variant: Variant,
        uptime: Duration,
    ) -> prometheus::Result<MetricsAnswer> {
        let current = self.current();
        let may_show = scraper.is_none_or(|scraper| self.gate.may_show(scraper));
        self.scraped.of(variant).store(true, Ordering::Relaxed);
        let empty;
        let events = if may_show {
            current.body(variant, &self.event_groups)
        } else {
            empty = Body::beginning(variant, []);
            &empty
        };
        let own = self.own_metrics(&current, uptime);
        let end = own.end(variant, &current, &self.account_families)?;
        let trailer = match variant.encoding {
            Encoding::Identity => None,
            Encoding::Gzip if may_show => Some(own.trailer(variant, events, end)),
            Encoding::Gzip => Some(events.trailer_with(end)),
        };
        let parts = events.parts.iter().chain(&end.parts).cloned();
        Ok(MetricsAnswer {
            parts: parts.chain(trailer).collect(),
            generation: if may_show { current.number } else { 0 },
        })
    }

    /// Returns the number of the generation in which the counts of events that are shown
    /// last changed; 0 if none were shown yet.
    #[must_use]
    pub fn last_changed(&self) -> u64 {
        lock(&self.accounts).last_changed
    }

    fn own_metrics(&self, current: &Generation, uptime: Duration) -> Arc<OwnMetrics> {
        let generation = current.number;
        let kept = self.own.load_full().filter(|own| {
            own.generation == generation && uptime.saturating_sub(own.gathered) < OWN_METRICS_KEEP
        });
        kept.unwrap_or_else(|| {
            let hold = self.gate.hold(uptime);
            self.process.publish_hold.set(hold.as_secs_f64());
            let created = self.settings.created.map(Timestamp::as_millisecond);
            let own = OwnMetrics::new(self.process.gather(), created, generation, uptime);
            let own = Arc::new(own);
            self.own.store(Some(Arc::clone(&own)));
            own
        })
    }
}

impl AccountExposition {
    /// Shows the changed counters in a new generation, whose number `ledger` records. The
    /// changes have to be committed. `types` is the vendor's list of event types, and at
    /// the time `start` every counter was 0.
    pub fn publish(
        &self,
        ledger: &mut Ledger,
        changes: &Changes,
        types: &Arc<[EventType]>,
        start: Timestamp,
    ) {
        let Shown {
            exposition,
            name,
            id,
        } = &*self.0;
        let created = exposition.settings.created.map(|_| start);
        let generation =
            exposition.change(|accounts| accounts.change((name, *id), changes, types, created));
        if let Some(generation) = generation {
            ledger.shown(generation);
        }
    }

    /// Shows the counters without these exemplars, in a new generation.
    pub fn end_exemplars(&self, ended: EndedExemplars) {
        let Shown {
            exposition,
            name,
            id,
        } = &*self.0;
        exposition.change(|accounts| accounts.end_exemplars((name, *id), ended));
    }

    /// Returns the list of another account if it is equal to `types`, and `types`
    /// otherwise: accounts share lists to save memory.
    pub(crate) fn shared(&self, types: Vec<EventType>) -> Arc<[EventType]> {
        lock(&self.0.exposition.accounts).known(&types.into())
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.exposition
            .change(|accounts| accounts.remove((&self.name, self.id)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // After a panic, the accounts are still the best that is known.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
