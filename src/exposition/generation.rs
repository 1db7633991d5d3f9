//! What is on show of all accounts at once, in one generation.

use std::{collections::BTreeMap, sync::Arc};

use audit_core::{event::EventType, ledger::Changes};
use jiff::Timestamp;
use once_cell::sync::OnceCell;

use super::{
    blocks::{FamilyHeader, RenderedPart},
    body::Body,
    events::{DescribedTypes, EventFamilies},
    format::{PerVariant, Variant},
};
use crate::metrics::{
    SelfMetrics,
    catalog::{EVENT_TYPE_INFO, EVENTS, EVENTS_BY_TYPE},
};

/// So many accounts are few: see [`ShownAccounts::generation_if_few`].
const FEW_ACCOUNTS: usize = 16;

/// What is on show of all accounts, as pollers change it.
#[derive(Debug)]
pub(super) struct ShownAccounts {
    pub(super) generation: u64,
    accounts: BTreeMap<Option<Arc<str>>, Arc<ShownAccount>>,
    described: Arc<DescribedTypes>,
    headers: Arc<Headers>,
}

/// What is on show of all accounts, as a scrape finds it.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) number: u64,
    /// In the order of their names.
    accounts: Vec<Arc<ShownAccount>>,
    described: Arc<DescribedTypes>,
    headers: Arc<Headers>,
    bodies: PerVariant<OnceCell<Body>>,
}

/// What is on show of one account.
#[derive(Debug, Clone)]
pub(super) struct ShownAccount {
    /// Tells it from one of the same name that was there before.
    pub(super) id: u64,
    pub(super) name: Option<Arc<str>>,
    pub(super) metrics: Arc<SelfMetrics>,
    types: Arc<[EventType]>,
    /// `None` until something was published.
    events: Option<EventFamilies>,
}

#[derive(Debug)]
struct Headers {
    by_type: FamilyHeader,
    series: FamilyHeader,
    descriptions: FamilyHeader,
}

impl Default for ShownAccounts {
    fn default() -> Self {
        let headers = Headers {
            by_type: FamilyHeader::new(&EVENTS_BY_TYPE),
            series: FamilyHeader::new(&EVENTS),
            descriptions: FamilyHeader::new(&EVENT_TYPE_INFO),
        };
        Self {
            generation: 0,
            accounts: BTreeMap::new(),
            described: Arc::new(DescribedTypes::new(Vec::new())),
            headers: Arc::new(headers),
        }
    }
}

impl ShownAccount {
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
        let nothing = || EventFamilies::new(self.name.as_ref(), created).with(changes);
        let events = self.events.as_ref();
        let events = events.map_or_else(nothing, |events| events.with(changes));
        Self {
            types,
            events: Some(events),
            ..self.clone()
        }
    }
}

impl ShownAccounts {
    /// One more account, which shows what one of the same name has shown.
    pub(super) fn add(&mut self, mut account: ShownAccount) {
        if let Some(before) = self.accounts.get(&account.name) {
            account.types = Arc::clone(&before.types);
            account.events.clone_from(&before.events);
        }
        self.accounts
            .insert(account.name.clone(), Arc::new(account));
        self.generation += 1;
    }

    /// Takes this account away, unless another has its name.
    pub(super) fn remove(&mut self, (name, id): (&Option<Arc<str>>, u64)) {
        if self
            .accounts
            .get(name)
            .is_some_and(|account| account.id == id)
        {
            self.accounts.remove(name);
            self.describe();
            self.generation += 1;
        }
    }

    /// Shows these counters of an account as they are now; says in which generation,
    /// if it is there.
    pub(super) fn change(
        &mut self,
        (name, id): (&Option<Arc<str>>, u64),
        changes: &Changes,
        types: &Arc<[EventType]>,
        created: Option<Timestamp>,
    ) -> Option<u64> {
        let types = self.known(types);
        let account = self
            .accounts
            .get_mut(name)
            .filter(|account| account.id == id)?;
        let is_other = !Arc::ptr_eq(&account.types, &types);
        *account = Arc::new(account.with(changes, types, created));
        if is_other {
            self.describe();
        }
        self.generation += 1;
        Some(self.generation)
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

    /// As it is now, where there are so few accounts that everything is made ready
    /// with each commit, so that no scrape waits for it. Of many accounts there are
    /// many commits between two scrapes.
    pub(super) fn generation_if_few(&self) -> Option<Generation> {
        (self.accounts.len() <= FEW_ACCOUNTS).then(|| self.generation())
    }

    /// As it is now.
    pub(super) fn generation(&self) -> Generation {
        Generation {
            number: self.generation,
            accounts: self.accounts.values().cloned().collect(),
            described: Arc::clone(&self.described),
            headers: Arc::clone(&self.headers),
            bodies: PerVariant::default(),
        }
    }

    /// Shows the types of every list that an account has, and no others.
    fn describe(&mut self) {
        let lists = self.lists();
        let same = |(one, other): (&Arc<_>, &Arc<_>)| Arc::ptr_eq(one, other);
        let before = &self.described.lists;
        if before.len() != lists.len() || !before.iter().zip(&lists).all(same) {
            self.described = Arc::new(DescribedTypes::new(lists));
        }
    }

    /// Every list of types that an account has, once.
    fn lists(&self) -> Vec<Arc<[EventType]>> {
        let mut lists: Vec<Arc<[EventType]>> = Vec::new();
        for account in self.accounts.values() {
            if !lists.iter().any(|list| Arc::ptr_eq(list, &account.types)) {
                lists.push(Arc::clone(&account.types));
            }
        }
        lists
    }
}

impl Generation {
    /// The accounts in the order of their names.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &ShownAccount> {
        self.accounts.iter().map(|account| &**account)
    }

    /// Every event in one variant.
    pub(super) fn body(&self, variant: Variant) -> &Body {
        self.bodies
            .of(variant)
            .get_or_init(|| Body::of(variant, self.parts(variant)))
    }

    /// Until something was published, not even the name of a family.
    fn parts(&self, variant: Variant) -> Vec<&RenderedPart> {
        let families = || {
            self.accounts()
                .filter_map(|account| account.events.as_ref())
        };
        if families().next().is_none() {
            return Vec::new();
        }
        let headers = &self.headers;
        let mut parts = vec![headers.by_type.part(variant)];
        parts.extend(families().flat_map(|events| events.by_type.parts(variant)));
        parts.push(headers.series.part(variant));
        parts.extend(families().flat_map(|events| events.series.parts(variant)));
        parts.push(headers.descriptions.part(variant));
        parts.extend(self.described.blocks.parts(variant));
        parts
    }
}
