//! The families that show events.

use std::sync::Arc;

use audit_core::{
    event::{EventType, label_value},
    ledger::{Change, Changes, EndedExemplars, SeriesKey},
};

use super::blocks::{Blocks, Key, Row};
use crate::metrics::catalog::{EVENT_TYPE_INFO, EVENTS, EVENTS_BY_TYPE};

/// The counts of one account's events.
#[derive(Debug, Clone)]
pub(super) struct EventFamilies {
    pub(super) by_type: Blocks<Arc<str>>,
    pub(super) series: Blocks<SeriesKey>,
}

/// The descriptions of the event types, together for all accounts.
#[derive(Debug, Clone)]
pub(super) struct DescribedTypes {
    /// The lists of types that accounts have, each list once.
    pub(super) lists: Vec<Arc<[EventType]>>,
    pub(super) blocks: Blocks<[Arc<str>; 2]>,
}

impl EventFamilies {
    /// Returns the families without series. `created` is the time when the counters were
    /// 0, in milliseconds since 1970, if `_created` is to be shown.
    pub(super) fn new(account: Option<&Arc<str>>, created: Option<i64>) -> Self {
        Self {
            by_type: Blocks::new(&EVENTS_BY_TYPE, account.cloned(), created),
            series: Blocks::new(&EVENTS, account.cloned(), created),
        }
    }

    /// Returns the families with these counters changed.
    pub(super) fn with(&self, changes: &Changes) -> Self {
        Self {
            by_type: self.by_type.with(rows(&changes.types)),
            series: self.series.with(rows(&changes.series)),
        }
    }

    /// Returns the families without the exemplars that are over.
    pub(super) fn without_exemplars(&self, ended: EndedExemplars) -> Self {
        Self {
            by_type: self.by_type.without_exemplars(ended.types),
            series: self.series.without_exemplars(ended.series),
        }
    }

    /// Returns `true` if `others` were made of these families, or these of `others`, without
    /// a change.
    pub(super) fn are_shown_as(&self, others: &Self) -> bool {
        self.by_type.are_shared_with(&others.by_type) && self.series.are_shared_with(&others.series)
    }
}

impl DescribedTypes {
    /// Describes the types of all lists. A type with several descriptions is shown once.
    pub(super) fn new(lists: Vec<Arc<[EventType]>>) -> Self {
        let all = lists.iter().flat_map(|list| list.iter());
        let blocks = Blocks::new(&EVENT_TYPE_INFO, None, None).with(descriptions(all));
        Self { lists, blocks }
    }
}

fn rows<K: Key>(changes: &[Change<K>]) -> Vec<Row<K>> {
    let row = |change: &Change<K>| Row {
        key: change.key.clone(),
        value: change.saved.published,
        exemplar: change.shown_exemplar().cloned().map(Box::new),
    };
    changes.iter().map(row).collect()
}

fn descriptions<'t>(types: impl Iterator<Item = &'t EventType>) -> Vec<Row<[Arc<str>; 2]>> {
    let described = |known: &EventType| {
        let description = label_value(Some((&*known.description).into()));
        [known.name.as_str().into(), description.as_ref().into()]
    };
    let mut keys: Vec<[Arc<str>; 2]> = types.map(described).collect();
    keys.sort_unstable();
    // Two descriptions of one type would be two series.
    keys.dedup_by(|one, other| one[0] == other[0]);
    let row = |key| Row {
        key,
        value: 1,
        exemplar: None,
    };
    keys.into_iter().map(row).collect()
}
