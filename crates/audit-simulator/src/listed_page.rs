//! Selects the events of a page from the archive.

use std::ops::Range;
use std::sync::Arc;

use crate::archive::{Archive, ArchivedEvent};
use crate::event_key::KeyTable;
use crate::list_form::ListOrder;
use crate::list_order;
use crate::query::{Query, QueryError};
use crate::type_blocks::BLOCK;

/// One page of events, in the order in which they are written.
pub(crate) struct ListedPage {
    pub(crate) events: Vec<ArchivedEvent>,
    pub(crate) keys: Arc<KeyTable>,
    /// Number of events on all pages.
    pub(crate) total: u64,
}

/// The order of a list.
#[derive(Clone, Copy)]
pub(crate) struct Arrangement {
    pub(crate) order: ListOrder,
    /// The seed of a shuffled order.
    pub(crate) salt: u64,
    /// The number of times that page 1 was asked for, which begins a reading.
    pub(crate) reading: u64,
}

/// Returns the page that `query` asks for, without regard to its search text.
pub(crate) fn list(
    archive: &Archive,
    query: &Query,
    arrangement: Arrangement,
) -> Result<ListedPage, QueryError> {
    let selection = Selection::new(archive, query)?;
    let total = selection.total();
    let events = page_ranks(query, arrangement, total).filter_map(|rank| selection.get(rank));
    Ok(ListedPage {
        events: events.collect(),
        keys: Arc::clone(archive.keys()),
        total: to_u64(total),
    })
}

/// Returns the page that `query` asks for out of `found`, whose first event is the oldest.
pub(crate) fn list_found(
    found: &[ArchivedEvent],
    keys: Arc<KeyTable>,
    query: &Query,
    arrangement: Arrangement,
) -> ListedPage {
    let ranks = page_ranks(query, arrangement, found.len());
    ListedPage {
        events: ranks.map(|rank| found[rank]).collect(),
        keys,
        total: to_u64(found.len()),
    }
}

/// Returns every event that `query` may find without regard to its search text, oldest
/// first.
pub(crate) fn candidates(
    archive: &Archive,
    query: &Query,
) -> Result<Vec<ArchivedEvent>, QueryError> {
    let selection = Selection::new(archive, query)?;
    let events = archive.events()[selection.range.clone()].iter();
    Ok(events
        .filter(|event| selection.wants(event))
        .copied()
        .collect())
}

/// Returns the ranks, counted from the oldest event, of the events that a page shows.
fn page_ranks(
    query: &Query,
    arrangement: Arrangement,
    total: usize,
) -> impl Iterator<Item = usize> {
    let total = to_u64(total);
    let start = query.page.saturating_sub(1).saturating_mul(query.size);
    let end = start.saturating_add(query.size).min(total);
    (start..end)
        .map(move |position| list_order::rank(arrangement.order, position, total, arrangement.salt))
        .map(|rank| usize::try_from(rank).unwrap_or(usize::MAX))
}

/// The events that pass the filters by time and type.
struct Selection<'a> {
    archive: &'a Archive,
    range: Range<usize>,
    /// Indices of the wanted types; empty for all.
    types: Vec<usize>,
    /// The number of wanted events before the range.
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

    fn wants(&self, event: &ArchivedEvent) -> bool {
        self.types.is_empty() || self.types.contains(&self.archive.keys().type_of(event.key))
    }

    fn total(&self) -> usize {
        self.wanted_before(self.range.end) - self.before
    }

    /// Returns the number of wanted events before `position` of the archive.
    fn wanted_before(&self, position: usize) -> usize {
        if self.types.is_empty() {
            return position;
        }
        let block = position / BLOCK;
        let whole: usize = (0..block).map(|block| self.count(block)).sum();
        let part = &self.archive.events()[block * BLOCK..position];
        whole + part.iter().filter(|event| self.wants(event)).count()
    }

    /// Returns the wanted event of this rank, if there is one.
    fn get(&self, rank: usize) -> Option<ArchivedEvent> {
        let events = self.archive.events();
        let mut left = self.before + rank;
        if self.types.is_empty() {
            return events.get(left).copied();
        }
        let mut block = 0;
        while self.count(block) <= left && block * BLOCK < events.len() {
            left -= self.count(block);
            block += 1;
        }
        let mut wanted = events[block * BLOCK..]
            .iter()
            .filter(|event| self.wants(event));
        wanted.nth(left).copied()
    }

    fn count(&self, block: usize) -> usize {
        self.archive.blocks().count(&self.types, block)
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_key::EventKey;
    use crate::intensity::Intensity;
    use crate::traffic::{Traffic, TrafficPlan};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const START: i64 = 1_795_435_200_000;
    const HOUR: i64 = 3_600_000;
    const ORDERS: [ListOrder; 4] = [
        ListOrder::Newest,
        ListOrder::Oldest,
        ListOrder::Shuffled,
        ListOrder::Reshuffled,
    ];

    fn archive(history: u32, late_share: f64) -> Archive {
        let plan = TrafficPlan {
            seed: 11,
            start: START,
            history,
            history_span: 24 * HOUR,
            rate: 0.2,
            intensity: Intensity::daily(11),
            end: None,
            late_share,
            late_by: 2 * HOUR,
        };
        Archive::new(11, Traffic::new(plan))
    }

    fn key(event_type: &str) -> EventKey {
        EventKey {
            event_type: event_type.to_owned(),
            source: "CD".to_owned(),
            country: None,
        }
    }

    fn query(raw: &str) -> Query {
        Query::parse(raw).expect(raw)
    }

    /// Every page of `raw`, each asked for with the same salt.
    fn pages(archive: &Archive, raw: &str, order: ListOrder) -> Vec<ArchivedEvent> {
        let arrangement = Arrangement {
            order,
            salt: 3,
            reading: 1,
        };
        let mut query = query(raw);
        let mut all = Vec::new();
        loop {
            let listing = list(archive, &query, arrangement).expect("a listing");
            if listing.events.is_empty() {
                assert_eq!(listing.total, to_u64(all.len()));
                return all;
            }
            all.extend(listing.events);
            query.page += 1;
        }
    }

    /// Returns the events that a filter finds by looking at every event.
    fn plainly(archive: &Archive, raw: &str) -> Vec<ArchivedEvent> {
        let query = query(raw);
        let wanted = |event: &&ArchivedEvent| {
            let second = event.at.div_euclid(1000);
            let name = &archive.keys().get(event.key).event_type;
            query.from.is_none_or(|from| second >= from)
                && query.to.is_none_or(|to| second <= to)
                && (query.types.is_empty() || query.types.contains(name))
        };
        archive.events().iter().filter(wanted).copied().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn pages_hold_what_a_plain_filter_finds(
            history in 0_u32..2500,
            hours in 0_i64..30,
            from in -25_i64..6,
            length in 0_i64..20,
            size in 15_u64..=100,
            types in prop::sample::select(vec![
                "", "&event_type=USER_LOGIN", "&event_type=APP_UPDATE,USER_LOGIN,APP_UPDATE",
                "&event_type=ACCOUNT_SECRET_DELETE", "&event_type=EXTRA",
            ]),
        ) {
            let mut archive = archive(history, 0.2);
            archive.record(&key("EXTRA"), START - 3 * HOUR, START - 3 * HOUR);
            for hour in 0..=hours {
                archive.advance(START + hour * HOUR);
            }
            archive.record(&key("EXTRA"), START - 4 * HOUR, START);
            let bound = |hour: i64| jiff::Timestamp::from_millisecond(START + hour * HOUR);
            let raw = format!(
                "date_from={}&date_to={}&size={size}{types}",
                bound(from).expect("a time"),
                bound(from + length).expect("a time"),
            );
            let expected = plainly(&archive, &raw);
            prop_assert_eq!(&candidates(&archive, &query(&raw)).expect("candidates"), &expected);
            for order in ORDERS {
                let mut found = pages(&archive, &raw, order);
                if order == ListOrder::Newest {
                    prop_assert!(found.iter().rev().eq(&expected));
                }
                found.sort_unstable();
                prop_assert_eq!(&found, &expected, "{:?}", order);
            }
        }

        #[test]
        fn stepwise_and_at_once_end_up_the_same(step in 5_i64..200) {
            let mut at_once = archive(2000, 0.3);
            at_once.advance(START + 10 * HOUR);
            let mut stepwise = archive(2000, 0.3);
            for now in (0..600).step_by(usize::try_from(step).expect("a step")) {
                stepwise.advance(START + now * 60_000);
            }
            stepwise.advance(START + 10 * HOUR);
            prop_assert_eq!(stepwise.events(), at_once.events());
            prop_assert_eq!(stepwise.hidden(), at_once.hidden());
            prop_assert_eq!(stepwise.counts(None), at_once.counts(None));
        }
    }

    #[test]
    fn every_visible_event_is_found_by_its_id() {
        let mut archive = archive(5000, 0.1);
        for minute in -90 * 4..60 {
            archive.advance(START + minute * 60_000);
            if minute % 7 == 0 {
                archive.record(&key("EXTRA"), START - minute.abs() * 90_000, 0);
            }
        }
        assert!(archive.events().len() > 5000 && archive.hidden() > 0);
        for event in archive.events() {
            let id = crate::event_id::id_of(11, event.number);
            assert_eq!(archive.find(&id), Some(*event));
        }
        let hidden = crate::event_id::id_of(11, 1_000_000);
        assert_eq!(archive.find(&hidden), None);
    }

    #[test]
    fn a_late_event_is_hidden_until_its_time() {
        let mut archive = archive(0, 0.0);
        archive.advance(START);
        let id = archive.record(&key("EXTRA"), START, START + 5000);
        assert_eq!((archive.find(&id), archive.hidden()), (None, 1));
        archive.advance(START + 4999);
        assert_eq!((archive.find(&id), archive.hidden()), (None, 1));
        archive.advance(START + 5000);
        assert!(archive.find(&id).is_some());
        assert_eq!(archive.hidden(), 0);
        archive.advance(START);
        assert!(
            archive.find(&id).is_some(),
            "a shown event stays in the list"
        );
    }

    #[test]
    fn bounds_are_inclusive_in_whole_seconds() {
        let mut archive = archive(0, 0.0);
        archive.record(&key("EXTRA"), START + 999, START);
        archive.advance(START + 1000);
        let count = |raw: &str| candidates(&archive, &query(raw)).expect("candidates").len();
        assert_eq!(count("event_type=EXTRA&date_from=2026-11-23T12:00:00Z"), 1);
        assert_eq!(count("event_type=EXTRA&date_to=2026-11-23T12:00:00Z"), 1);
        assert_eq!(
            count("event_type=EXTRA&date_from=2026-11-23T12:00:00.1Z"),
            0
        );
        assert_eq!(count("event_type=EXTRA&date_to=2026-11-23T11:59:59.9Z"), 0);
        assert_eq!(
            count("event_type=EXTRA&date_from=2026-11-23&date_to=2026-11-23"),
            1
        );
        assert_eq!(
            count("event_type=EXTRA&date_from=2026-11-24&date_to=2026-11-22"),
            0
        );
    }

    #[test]
    fn an_unknown_type_is_refused_and_a_recorded_one_known() {
        let mut archive = archive(0, 0.0);
        let unknown = query("event_type=EXTRA");
        let error = candidates(&archive, &unknown).expect_err("an error");
        assert_eq!(error, QueryError::Type("EXTRA".to_owned()));
        archive.record(&key("EXTRA"), START, START);
        assert_eq!(candidates(&archive, &unknown), Ok(Vec::new()));
    }

    #[test]
    fn a_million_events_are_small_and_a_filter_reads_little_of_them() {
        assert!(size_of::<ArchivedEvent>() <= 16);
        let mut archive = archive(1_000_000, 0.0);
        archive.advance(START);
        assert_eq!(archive.events().len(), 1_000_000);
        // A deep page of a filtered list comes from the block counts.
        let raw = "event_type=ACCOUNT_SECRET_DELETE&size=100&page=3";
        let arrangement = Arrangement {
            order: ListOrder::Oldest,
            salt: 0,
            reading: 1,
        };
        let listing = list(&archive, &query(raw), arrangement).expect("a listing");
        let expected = plainly(&archive, raw);
        assert_eq!(listing.events, expected[200..expected.len().min(300)]);
        let numbers: BTreeSet<_> = listing.events.iter().map(|event| event.number).collect();
        assert_eq!(numbers.len(), listing.events.len());
    }
}
