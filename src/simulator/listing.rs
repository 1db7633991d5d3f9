//! Answers a query from the archive: which events make up the page that was asked for.

use std::ops::Range;
use std::sync::Arc;

use super::archive::{Archive, Entry};
use super::blocks::BLOCK;
use super::key::KeyTable;
use super::order;
use super::query::{Query, QueryError};
use super::settings::ListOrder;

/// One page of events, in the order in which they are written.
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    pub(super) keys: Arc<KeyTable>,
    /// Number of events on all pages.
    pub(super) total: u64,
}

/// How a list is ordered.
#[derive(Clone, Copy)]
pub(super) struct Arrangement {
    pub(super) order: ListOrder,
    /// What a shuffled order is drawn from.
    pub(super) salt: u64,
}

/// The page that `query` asks for, its search text left aside.
pub(super) fn list(
    archive: &Archive,
    query: &Query,
    arrangement: Arrangement,
) -> Result<Listing, QueryError> {
    let selection = Selection::new(archive, query)?;
    let total = selection.total();
    let entries = page_ranks(query, arrangement, total).filter_map(|rank| selection.get(rank));
    Ok(Listing {
        entries: entries.collect(),
        keys: Arc::clone(archive.keys()),
        total: to_u64(total),
    })
}

/// The page that `query` asks for out of `found`, which lie oldest first.
pub(super) fn list_found(
    found: &[Entry],
    keys: Arc<KeyTable>,
    query: &Query,
    arrangement: Arrangement,
) -> Listing {
    let ranks = page_ranks(query, arrangement, found.len());
    Listing {
        entries: ranks.map(|rank| found[rank]).collect(),
        keys,
        total: to_u64(found.len()),
    }
}

/// Every event that `query` may find, its search text left aside, oldest first.
pub(super) fn candidates(archive: &Archive, query: &Query) -> Result<Vec<Entry>, QueryError> {
    let selection = Selection::new(archive, query)?;
    let entries = archive.entries()[selection.range.clone()].iter();
    Ok(entries
        .filter(|entry| selection.wants(entry))
        .copied()
        .collect())
}

/// Ranks, counted from the oldest event, of what the page shows.
fn page_ranks(
    query: &Query,
    arrangement: Arrangement,
    total: usize,
) -> impl Iterator<Item = usize> {
    let total = to_u64(total);
    let start = query.page.saturating_sub(1).saturating_mul(query.size);
    let end = start.saturating_add(query.size).min(total);
    (start..end)
        .map(move |position| order::rank(arrangement.order, position, total, arrangement.salt))
        .map(|rank| usize::try_from(rank).unwrap_or(usize::MAX))
}

/// The events that pass the filters by time and type.
struct Selection<'a> {
    archive: &'a Archive,
    range: Range<usize>,
    /// Indices of the wanted types; empty for all.
    types: Vec<usize>,
    /// How many wanted events lie before the range.
    before: usize,
}

impl<'a> Selection<'a> {
    fn new(archive: &'a Archive, query: &Query) -> Result<Self, QueryError> {
        let index = |name: &String| {
            let index = archive.keys().type_index(name);
            index.ok_or_else(|| QueryError::Type(name.clone()))
        };
        let mut types = query
            .types
            .iter()
            .map(index)
            .collect::<Result<Vec<_>, _>>()?;
        types.sort_unstable();
        types.dedup();
        let mut selection = Self {
            archive,
            range: archive.range(query.from, query.to),
            types,
            before: 0,
        };
        selection.before = selection.wanted_before(selection.range.start);
        Ok(selection)
    }

    fn wants(&self, entry: &Entry) -> bool {
        self.types.is_empty() || self.types.contains(&self.archive.keys().type_of(entry.key))
    }

    fn total(&self) -> usize {
        self.wanted_before(self.range.end) - self.before
    }

    /// How many wanted events lie before `position` of the archive.
    fn wanted_before(&self, position: usize) -> usize {
        if self.types.is_empty() {
            return position;
        }
        let block = position / BLOCK;
        let whole: usize = (0..block).map(|block| self.count(block)).sum();
        let part = &self.archive.entries()[block * BLOCK..position];
        whole + part.iter().filter(|entry| self.wants(entry)).count()
    }

    /// The wanted event of this rank, if there are so many.
    fn get(&self, rank: usize) -> Option<Entry> {
        let entries = self.archive.entries();
        let mut left = self.before + rank;
        if self.types.is_empty() {
            return entries.get(left).copied();
        }
        let mut block = 0;
        while self.count(block) <= left && block * BLOCK < entries.len() {
            left -= self.count(block);
            block += 1;
        }
        let mut wanted = entries[block * BLOCK..]
            .iter()
            .filter(|entry| self.wants(entry));
        wanted.nth(left).copied()
    }

    fn count(&self, block: usize) -> usize {
        self.archive.blocks().count(&self.types, block)
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
