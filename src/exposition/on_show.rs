//! What is on show of all accounts at once, in one generation.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::{
    blocks::{FamilyHeader, Piece},
    format::{PerVariant, Variant},
    snapshot::{Body, Described, Snapshot},
};
use crate::{
    event::EventType,
    ledger::Changes,
    metrics::{
        SelfMetrics,
        catalog::{EVENT_TYPE_INFO, EVENTS, EVENTS_BY_TYPE},
    },
};

/// With more accounts than this, an answer is put together when a scrape asks for
/// it and not after each commit, of which there are many between two scrapes then.
const FEW: usize = 16;

/// What is on show of all accounts.
#[derive(Debug)]
pub(super) struct OnShow {
    pub(super) generation: u64,
    /// In the order of their names.
    accounts: Vec<Arc<Shown>>,
    described: Arc<Described>,
    headers: Arc<Headers>,
    bodies: PerVariant<OnceLock<Body>>,
}

/// What is on show of one account.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Tells it from one of the same name that was there before.
    pub(super) id: u64,
    pub(super) name: Option<Arc<str>>,
    pub(super) metrics: Arc<SelfMetrics>,
    types: Arc<[EventType]>,
    /// `None` until something was published.
    events: Option<Snapshot>,
}

#[derive(Debug)]
struct Headers {
    by_type: FamilyHeader,
    series: FamilyHeader,
    descriptions: FamilyHeader,
}

impl Default for OnShow {
    fn default() -> Self {
        let headers = Headers {
            by_type: FamilyHeader::new(&EVENTS_BY_TYPE),
            series: FamilyHeader::new(&EVENTS),
            descriptions: FamilyHeader::new(&EVENT_TYPE_INFO),
        };
        Self {
            generation: 0,
            accounts: Vec::new(),
            described: Arc::new(Described::new(Vec::new())),
            headers: Arc::new(headers),
            bodies: PerVariant::default(),
        }
    }
}

impl Shown {
    /// An account that shows no event yet.
    pub(super) fn new(id: u64, name: Option<Arc<str>>, metrics: Arc<SelfMetrics>) -> Self {
        Self {
            id,
            name,
            metrics,
            types: Arc::default(),
            events: None,
        }
    }

    fn with(&self, changes: &Changes, types: Arc<[EventType]>, created: Option<Timestamp>) -> Self {
        let created = created.map(Timestamp::as_millisecond);
        let nothing = || Snapshot::new(self.name.as_ref(), created).with(changes);
        let events = self.events.as_ref();
        let events = events.map_or_else(nothing, |events| events.with(changes));
        Self {
            types,
            events: Some(events),
            ..self.clone()
        }
    }
}

impl OnShow {
    /// The accounts in the order of their names.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &Shown> {
        self.accounts.iter().map(|account| &**account)
    }

    /// With one more account, which shows what one of the same name has shown.
    pub(super) fn with_account(&self, mut account: Shown) -> Self {
        let mut accounts = self.accounts.clone();
        match accounts.binary_search_by(|there| there.name.cmp(&account.name)) {
            Ok(place) => {
                account.types = Arc::clone(&accounts[place].types);
                account.events.clone_from(&accounts[place].events);
                accounts[place] = Arc::new(account);
            }
            Err(place) => accounts.insert(place, Arc::new(account)),
        }
        self.next(accounts)
    }

    /// Without this account, if it is there.
    pub(super) fn without_account(&self, id: u64) -> Self {
        let accounts = self.accounts.iter().filter(|account| account.id != id);
        self.next(accounts.cloned().collect())
    }

    /// With these counters of an account as they are now; `None` if the account is
    /// not there.
    pub(super) fn with_changes(
        &self,
        id: u64,
        changes: &Changes,
        types: &Arc<[EventType]>,
        created: Option<Timestamp>,
    ) -> Option<Self> {
        let place = self.accounts.iter().position(|account| account.id == id)?;
        let types = self.known(types);
        let account = self.accounts[place].with(changes, Arc::clone(&types), created);
        let mut accounts = self.accounts.clone();
        accounts[place] = Arc::new(account);
        let mut next = self.next(accounts);
        if !self
            .described
            .lists
            .iter()
            .any(|list| Arc::ptr_eq(list, &types))
        {
            next.described = Arc::new(Described::new(next.lists()));
        }
        Some(next)
    }

    /// The same list as another account has, where they are equal: each takes as
    /// much room as all else of a small account.
    pub(super) fn known(&self, types: &Arc<[EventType]>) -> Arc<[EventType]> {
        let lists = &self.described.lists;
        let same = lists
            .iter()
            .find(|list| Arc::ptr_eq(list, types) || *list == types);
        Arc::clone(same.unwrap_or(types))
    }

    /// Renders what this account has changed, before anyone can ask for it, so that
    /// no scrape waits for that.
    pub(super) fn render(&self, id: u64, variant: Variant) {
        let account = self.accounts.iter().find(|account| account.id == id);
        if let Some(events) = account.and_then(|account| account.events.as_ref()) {
            events.render(variant);
        }
        if self.accounts.len() <= FEW {
            self.body(variant);
        }
    }

    /// Every event in one variant.
    pub(super) fn body(&self, variant: Variant) -> &Body {
        self.bodies
            .of(variant)
            .get_or_init(|| Body::of(variant, self.pieces(variant)))
    }

    /// Until something was published, not even the name of a family.
    fn pieces(&self, variant: Variant) -> Vec<&Piece> {
        let snapshots = || {
            self.accounts()
                .filter_map(|account| account.events.as_ref())
        };
        if snapshots().next().is_none() {
            return Vec::new();
        }
        let headers = &self.headers;
        let mut pieces = vec![headers.by_type.piece(variant)];
        pieces.extend(snapshots().flat_map(|events| events.by_type.pieces(variant)));
        pieces.push(headers.series.piece(variant));
        pieces.extend(snapshots().flat_map(|events| events.series.pieces(variant)));
        pieces.push(headers.descriptions.piece(variant));
        pieces.extend(self.described.blocks.pieces(variant));
        pieces
    }

    fn next(&self, accounts: Vec<Arc<Shown>>) -> Self {
        Self {
            generation: self.generation + 1,
            accounts,
            described: Arc::clone(&self.described),
            headers: Arc::clone(&self.headers),
            bodies: PerVariant::default(),
        }
    }

    /// Every list of types that an account has, once.
    fn lists(&self) -> Vec<Arc<[EventType]>> {
        let mut lists: Vec<Arc<[EventType]>> = Vec::new();
        for account in self.accounts() {
            if !lists.iter().any(|list| Arc::ptr_eq(list, &account.types)) {
                lists.push(Arc::clone(&account.types));
            }
        }
        lists
    }
}
