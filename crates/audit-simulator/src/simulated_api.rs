//! The simulated API: what all connections of one simulator share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::archive::Archive;
use crate::clock::ApiClock;
use crate::credentials::SimulatedCredentials;
use crate::event_key::KeyTable;
use crate::faults::{Fault, FaultPlan};
use crate::intensity::Intensity;
use crate::list_form::{BeyondLast, ListOrder};
use crate::list_limits::ListLimits;
use crate::listed_page::{self, Arrangement, ListedPage};
use crate::query::{Query, QueryError};
use crate::render::Renderer;
use crate::settings::SimulatorSettings;
use crate::traffic::{Traffic, TrafficPlan};

/// A search copies and reads a large part of the archive, so only a few run at a time.
const SEARCHES_AT_ONCE: usize = 2;

/// An outage of the whole API, in contrast to faults of single requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outage {
    /// Requests are served.
    #[default]
    None,
    /// Every request is answered with 503.
    Unavailable,
    /// Every connection is reset.
    Unreachable,
}

pub(crate) struct SimulatedApi {
    archive: Mutex<Archive>,
    pub(crate) clock: ApiClock,
    pub(crate) base_path: String,
    pub(crate) latency: Duration,
    pub(crate) credentials: SimulatedCredentials,
    renderer: Renderer,
    seed: u64,
    order: ListOrder,
    limits: ListLimits,
    faults: FaultPlan,
    outage: Mutex<Outage>,
    requests: AtomicU64,
    lists: AtomicU64,
    readings: AtomicU64,
    searches: Semaphore,
}

impl SimulatedApi {
    /// Makes the API of an account whose traffic begins at `start`, unless the settings name
    /// another time.
    pub(crate) fn new(settings: SimulatorSettings, clock: ApiClock, start: Timestamp) -> Self {
        let traffic = Traffic::new(plan(&settings, start));
        let mut archive = Archive::new(settings.seed, traffic);
        archive.advance(clock.now().as_millisecond());
        Self {
            archive: Mutex::new(archive),
            clock,
            renderer: Renderer::new(&settings),
            limits: ListLimits::new(&settings),
            credentials: SimulatedCredentials::new(&settings),
            seed: settings.seed,
            order: settings.order,
            faults: FaultPlan::new(&settings),
            latency: settings.latency,
            base_path: settings.base_path,
            outage: Mutex::new(Outage::None),
            requests: AtomicU64::new(0),
            lists: AtomicU64::new(0),
            readings: AtomicU64::new(0),
            searches: Semaphore::new(SEARCHES_AT_ONCE),
        }
    }

    /// Returns the archive as it is at this moment of the API's clock.
    pub(crate) fn archive(&self) -> MutexGuard<'_, Archive> {
        let now = self.clock.now().as_millisecond();
        let mut archive = self.archive.lock().unwrap_or_else(PoisonError::into_inner);
        archive.advance(now);
        archive
    }

    /// Counts one request, and returns its fault, if it has one.
    pub(crate) fn next_fault(&self) -> Option<Fault> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        match self.outage() {
            Outage::None => self.faults.draw(number),
            Outage::Unavailable => Some(Fault::ServerError(503)),
            Outage::Unreachable => Some(Fault::Reset),
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn outage(&self) -> Outage {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_outage(&self, outage: Outage) {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = outage;
    }

    /// Returns the body of the event with this id, if it is visible.
    pub(crate) fn event(&self, id: &str) -> Option<Vec<u8>> {
        let (event, keys) = {
            let archive = self.archive();
            (archive.find(id)?, Arc::clone(archive.keys()))
        };
        Some(self.renderer.event(event, &keys))
    }

    /// Returns the body of the page that `query` asks for.
    pub(crate) async fn list(self: &Arc<Self>, query: Query) -> Result<Vec<u8>, ListError> {
        let arrangement = self.arrangement(&query);
        let query = self.limits.apply(query);
        if query.search_text.is_some() {
            return self.search(query, arrangement).await;
        }
        // Rendering is done without the lock.
        let listing = listed_page::list(&self.archive(), &query, arrangement)?;
        self.render(listing, &query, arrangement)
    }

    /// Returns the body of a page, of which the limits show a part.
    fn render(
        &self,
        mut page: ListedPage,
        query: &Query,
        arrangement: Arrangement,
    ) -> Result<Vec<u8>, ListError> {
        // A total with a limit is not higher because a list shrinks.
        self.limits.shrink(&mut page, query, arrangement.reading);
        if let Some(answer) = self.limits.cut(&mut page, query) {
            return Err(ListError::Beyond(query.page, answer));
        }
        Ok(self.renderer.list(&page, query))
    }

    async fn search(
        self: &Arc<Self>,
        query: Query,
        arrangement: Arrangement,
    ) -> Result<Vec<u8>, ListError> {
        let _permit = self
            .searches
            .acquire()
            .await
            .map_err(|_| ListError::Search)?;
        let api = Arc::clone(self);
        let search = move || api.search_now(&query, arrangement);
        let body = tokio::task::spawn_blocking(search).await;
        body.map_err(|_| ListError::Search)?
    }

    fn search_now(&self, query: &Query, arrangement: Arrangement) -> Result<Vec<u8>, ListError> {
        let (events, keys): (_, Arc<KeyTable>) = {
            let archive = self.archive();
            (
                listed_page::candidates(&archive, query)?,
                Arc::clone(archive.keys()),
            )
        };
        let text = query.search_text.as_deref().unwrap_or_default();
        let found = self.renderer.search(events, &keys, text);
        let listing = listed_page::list_found(&found, keys, query, arrangement);
        self.render(listing, query, arrangement)
    }

    fn arrangement(&self, query: &Query) -> Arrangement {
        let list = self.lists.fetch_add(1, Ordering::Relaxed);
        let first = u64::from(query.page == 1);
        let reading = self.readings.fetch_add(first, Ordering::Relaxed) + first;
        let turn = match self.order {
            ListOrder::Reshuffled => reading,
            _ => list,
        };
        Arrangement {
            reading,
            order: self.order,
            salt: self.seed.wrapping_add(turn),
        }
    }
}

/// The reason why a list request cannot be answered with a list.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("page: no page {0} is shown")]
    Beyond(u64, BeyondLast),
    #[error("the search ended early")]
    Search,
}

fn plan(settings: &SimulatorSettings, start: Timestamp) -> TrafficPlan {
    let start = settings.start.unwrap_or(start).as_millisecond();
    let intensity = if settings.steady {
        Intensity::steady()
    } else {
        Intensity::daily(settings.seed)
    };
    TrafficPlan {
        seed: settings.seed,
        start,
        history: settings.history,
        history_span: milliseconds(settings.history_span),
        rate: settings.rate,
        intensity,
        end: settings
            .traffic_for
            .map(|span| start.saturating_add(milliseconds(span))),
        late_share: settings.late_share,
        late_by: milliseconds(settings.late_by),
    }
}

fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
