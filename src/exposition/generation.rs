//! The accounts as scrapes show them, generation by generation.

use std::{
    collections::BTreeMap,
    iter,
    sync::{Arc, Mutex, PoisonError},
};

use audit_core::{
    event::EventType,
    ledger::{Changes, EndedExemplars},
};
use jiff::Timestamp;
use once_cell::sync::OnceCell;

use super::{
    blocks::{FamilyHeader, PartWriter},
    body::Body,
    event_groups::EventGroups,
    events::{DescribedTypes, EventFamilies},
    format::{PerVariant, Variant},
};
use crate::metrics::{
    AccountMetrics,
    catalog::{EVENT_TYPE_INFO, EVENTS, EVENTS_BY_TYPE},
};

/// The limit of [`ShownAccounts::generation_if_few`].
const FEW_ACCOUNTS: usize = 16;

/// All accounts as scrapes show them. Pollers change them.
#[derive(Debug)]
pub(super) struct ShownAccounts {
    pub(super) generation: u64,
    /// The generation in which counts of events last changed; 0 if there were none yet.
    pub(super) last_changed: u64,
    accounts: BTreeMap<Option<Arc<str>>, Arc<ShownAccount>>,
    described: Arc<DescribedTypes>,
    headers: Arc<Headers>,
}

/// One state of all accounts as scrapes show them. It never changes.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) number: u64,
    /// The accounts in the order of their names.
    accounts: Vec<Arc<ShownAccount>>,
    described: Arc<DescribedTypes>,
    headers: Arc<Headers>,
    bodies: PerVariant<OnceCell<Body>>,
}

/// One account as scrapes show it.
#[derive(Debug, Clone)]
pub(super) struct ShownAccount {
    /// Distinguishes the account from an earlier one of the same name.
    pub(super) id: u64,
    pub(super) name: Option<Arc<str>>,
    pub(super) metrics: Arc<AccountMetrics>,
    types: Arc<[EventType]>,
    /// `None` until the account publishes.
    events: Option<Arc<EventFamilies>>,
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
            last_changed: 0,
            accounts: BTreeMap::new(),
            described: Arc::new(DescribedTypes::new(Vec::new())),
            headers: Arc::new(headers),
        }
    }
}

impl ShownAccount {
    /// Returns an account that shows no events.
    pub(super) fn new(id: u64, name: Option<Arc<str>>, metrics: Arc<AccountMetrics>) -> Self {
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
        let nothing = || {
            EventFamilies::new(self.name.as_ref(), created)
                .with(changes)
                .into()
        };
        let events = self.events.as_ref();
        let events = events.map_or_else(nothing, |events| {
            let next = events.with(changes);
            if next.are_shown_as(events) {
                Arc::clone(events)
            } else {
                Arc::new(next)
            }
        });
        Self {
            types,
            events: Some(events),
            ..self.clone()
        }
    }

    /// Returns `true` if both show the same counts of events.
    fn shows_the_counts_of(&self, other: &Self) -> bool {
        match (&self.events, &other.events) {
            (Some(events), Some(others)) => Arc::ptr_eq(events, others),
            (None, None) => true,
            _ => false,
        }
    }
}

impl ShownAccounts {
    /// Adds an account. If there is one of the same name, the new account replaces it
    /// and shows the same events.
    pub(super) fn add(&mut self, mut account: ShownAccount) {
        if let Some(before) = self.accounts.get(&account.name) {
            account.types = Arc::clone(&before.types);
            account.events.clone_from(&before.events);
        }
        self.accounts
            .insert(account.name.clone(), Arc::new(account));
        self.generation += 1;
    }

    /// Removes an account, unless another one has replaced it.
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

    /// Shows the changed counters of an account. Returns the number of the generation that
    /// shows them first, or `None` if the account was removed or replaced.
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
        let next = account.with(changes, types, created);
        let shows_the_same = account.shows_the_counts_of(&next);
        *account = Arc::new(next);
        if is_other {
            self.describe();
        }
        self.generation += 1;
        if !shows_the_same {
            self.last_changed = self.generation;
        }
        Some(self.generation)
    }

    /// Shows an account without the exemplars that are over. The counts stay as they are.
    pub(super) fn end_exemplars(
        &mut self,
        (name, id): (&Option<Arc<str>>, u64),
        ended: EndedExemplars,
    ) {
        let account = self.accounts.get_mut(name);
        if let Some(account) = account.filter(|account| account.id == id)
            && let Some(events) = &account.events
        {
            *account = Arc::new(ShownAccount {
                events: Some(events.without_exemplars(ended).into()),
                ..(**account).clone()
            });
            self.generation += 1;
        }
    }

    /// Returns the list of another account if it is equal to `types`, and `types`
    /// otherwise. A list takes as much memory as everything else of a small account, so
    /// accounts share it.
    pub(super) fn known(&self, types: &Arc<[EventType]>) -> Arc<[EventType]> {
        let lists = &self.described.lists;
        let same = lists
            .iter()
            .find(|list| Arc::ptr_eq(list, types) || *list == types);
        Arc::clone(same.unwrap_or(types))
    }

    /// Returns the current generation if there are few accounts. It is then rendered with
    /// each commit, so that no scrape waits for that. If there are many accounts, there
    /// are many commits between two scrapes, and most generations are never scraped.
    pub(super) fn generation_if_few(&self) -> Option<Generation> {
        (self.accounts.len() <= FEW_ACCOUNTS).then(|| self.generation())
    }

    /// Returns the current generation.
    pub(super) fn generation(&self) -> Generation {
        Generation {
            number: self.generation,
            accounts: self.accounts.values().cloned().collect(),
            described: Arc::clone(&self.described),
            headers: Arc::clone(&self.headers),
            bodies: PerVariant::default(),
        }
    }

    /// Describes the types in the lists of all accounts, and no others.
    fn describe(&mut self) {
        let lists = self.lists();
        let same = |(one, other): (&Arc<_>, &Arc<_>)| Arc::ptr_eq(one, other);
        let before = &self.described.lists;
        if before.len() != lists.len() || !before.iter().zip(&lists).all(same) {
            self.described = Arc::new(DescribedTypes::new(lists));
        }
    }

    /// Returns each list of types once.
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
    /// Returns the accounts in the order of their names.
    pub(super) fn accounts(&self) -> &[Arc<ShownAccount>] {
        &self.accounts
    }

    /// Returns `true` if there are few accounts; see [`ShownAccounts::generation_if_few`].
    pub(super) fn has_few_accounts(&self) -> bool {
        self.accounts.len() <= FEW_ACCOUNTS
    }

    /// Returns the event families in one variant; nothing, not even a header, until an account
    /// publishes. `groups` are parts that may be kept from other generations.
    pub(super) fn body(&self, variant: Variant, groups: &Mutex<EventGroups>) -> &Body {
        self.bodies.of(variant).get_or_init(|| {
            let families = self.accounts.iter();
            let families: Vec<_> = families.filter_map(|shown| shown.events.as_ref()).collect();
            if families.is_empty() {
                return Body::beginning(variant, []);
            }
            let mut groups = groups.lock().unwrap_or_else(PoisonError::into_inner);
            let mut writer = PartWriter::default();
            let groups = groups.renewed(&families, variant, &mut writer);
            let headers = &self.headers;
            let headers = [&headers.by_type, &headers.series, &headers.descriptions];
            let [by_type, series, descriptions] =
                headers.map(|header| header.part(variant, &mut writer));
            let described = self.described.blocks.parts(variant, &mut writer);
            let parts = iter::once(by_type).chain(groups.iter().flat_map(|parts| &parts.by_type));
            let parts = parts.chain([series]);
            let parts = parts.chain(groups.iter().flat_map(|parts| &parts.series));
            Body::beginning(variant, parts.chain([descriptions]).chain(described))
        })
    }
}
