//! The list of an API, which has limits that it does not tell, and for a while does anything.

use std::{collections::BTreeMap, time::Duration};

use jiff::tz::Offset;
use nexmo_audit_exporter::api::PageQuery;

use crate::{
    Bytes,
    simulated_time::{moment, second_of},
};

/// The number of events that the exporter asks for on a page.
const PAGE_SIZE: usize = 100;
/// The seconds in which events are created.
pub(super) const SECONDS: u64 = 200;
const MAX_GROUPS: u8 = 24;

/// The highest number that the list shows of one query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    None,
    Pages(usize),
    Events(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    NewestFirst,
    OldestFirst,
    /// An order that has nothing to do with time.
    Fixed,
    /// A different order at every request.
    None,
}

/// What the list says of the number of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claims {
    Honest,
    None,
    Zero,
    /// Never more than so many, though all are shown.
    Capped(usize),
    TooMany(usize),
    TooFew(usize),
}

/// The pages that have a link to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Links {
    None,
    WhereEventsFollow,
    All,
}

/// An event.
#[derive(Debug, Clone, Copy)]
struct Record {
    created: u64,
    /// The second from which on the list has the event.
    appears: u64,
}

/// A list whose rules stay the same.
#[derive(Debug)]
pub(super) struct List {
    /// The events. The id of each is its place.
    records: Vec<Record>,
    /// The events as elements of a page.
    elements: Vec<String>,
    /// The places of the events in the order of the list.
    ordered: Vec<usize>,
    limit: Limit,
    /// The largest number of events on a page.
    clamp: usize,
    order: Order,
    claims: Claims,
    links: Links,
    ignores_range: bool,
    /// `true` if a page that is not shown is refused; `false` if it is empty.
    pub(super) refuses: bool,
    /// Says of both bounds of a range whether they are included.
    includes: (bool, bool),
}

impl List {
    pub(super) fn new(bytes: &mut Bytes<'_>) -> Self {
        let limit = match bytes.byte() % 4 {
            0 => Limit::None,
            1 => Limit::Pages(usize::from(bytes.byte() % 7) + 1),
            2 => Limit::Events(200 + usize::from(bytes.byte()) * 2),
            _ => Limit::Events(100 * (2 + usize::from(bytes.byte() % 6))),
        };
        let clamp = match bytes.byte() % 4 {
            0 => 10 + usize::from(bytes.byte() % 90),
            _ => PAGE_SIZE,
        };
        let limit = match limit {
            // One page that is smaller than asked for, and nothing else, is no sign of a limit.
            Limit::Pages(1) if clamp < PAGE_SIZE => Limit::Pages(2),
            limit => limit,
        };
        let [order, claims, number] = [bytes.byte(), bytes.byte(), bytes.byte()];
        let number = usize::from(number) + 1;
        let claims = match (limit, claims % 8) {
            (_, 2) => Claims::None,
            (Limit::None, 3) => Claims::Capped(number * 4),
            (Limit::None, 4) => Claims::TooMany(number),
            (Limit::None, 5) => Claims::TooFew(number.min(3)),
            (_, 6) => Claims::Zero,
            _ => Claims::Honest,
        };
        let order = match order % 4 {
            0 => Order::NewestFirst,
            1 => Order::OldestFirst,
            // Without an order and an honest number, nothing says whether all was seen.
            3 if limit == Limit::None && claims == Claims::Honest => Order::None,
            _ => Order::Fixed,
        };
        let flags = bytes.byte();
        let has = |bit: u8| flags & (1 << bit) != 0;
        let tells_less = matches!(claims, Claims::Capped(_) | Claims::TooFew(_));
        let is_strange = limit == Limit::None && !tells_less && claims != Claims::Zero;
        let records = records(bytes);
        let elements = records.iter().enumerate();
        let elements =
            elements.map(|(place, record)| element(&format!("e{place}"), record.created));
        Self {
            elements: elements.collect(),
            ordered: ordered(&records, order),
            records,
            limit,
            clamp,
            order,
            claims,
            links: if has(1) && has(2) && is_strange {
                Links::All
            } else if has(0) || tells_less {
                Links::WhereEventsFollow
            } else {
                Links::None
            },
            // Without an order either, every sweep takes thousands of requests.
            ignores_range: has(3) && has(4) && is_strange && order != Order::None,
            refuses: has(5),
            includes: (has(6), has(7)),
        }
    }

    /// Returns the ids of the events that have to be counted.
    pub(super) fn ids(&self) -> impl Iterator<Item = String> {
        (0..self.records.len()).map(|place| format!("e{place}"))
    }

    /// Returns the number of events that no request shows: those that a second has beyond the
    /// limit.
    pub(super) fn unreachable(&self) -> usize {
        let most = match self.limit {
            Limit::None => return 0,
            Limit::Pages(pages) => pages * self.clamp,
            Limit::Events(events) => events,
        };
        let mut numbers = BTreeMap::new();
        for record in &self.records {
            *numbers.entry(record.created).or_insert(0_usize) += 1;
        }
        numbers
            .values()
            .map(|number| number.saturating_sub(most))
            .sum()
    }

    /// Returns a page as the list has it at a second. `shuffle` decides the order of a list that
    /// has none. `None` if the page is refused.
    pub(super) fn page(&self, query: &PageQuery, second: u64, shuffle: u64) -> Option<String> {
        let mut listed = self.listed(query, second);
        if self.order == Order::None {
            fastrand::Rng::with_seed(shuffle).shuffle(&mut listed);
        }
        let capped = match self.limit {
            Limit::Events(events) => events.min(listed.len()),
            _ => listed.len(),
        };
        let asked = usize::try_from(query.size).expect("a size");
        let number = usize::try_from(query.page).expect("a page");
        let size = self.clamp.min(asked);
        let begin = (number - 1) * size;
        let pages = match self.limit {
            Limit::Pages(pages) => pages,
            _ => usize::MAX,
        };
        let is_shown = number <= pages && begin < capped;
        if !is_shown && number > 1 && self.refuses {
            return None;
        }
        let end = if is_shown {
            (begin + size).min(capped)
        } else {
            begin
        };
        let shown = listed.get(begin..end).unwrap_or_default();
        let events: Vec<_> = shown.iter().map(|place| &*self.elements[*place]).collect();
        // A link says that events follow, also where a limit hides them.
        let follows = is_shown && end < listed.len();
        let has_next = match self.links {
            Links::None => false,
            Links::WhereEventsFollow => follows,
            Links::All => true,
        };
        Some(render(&events, has_next, self.claimed(capped)))
    }

    fn claimed(&self, number: usize) -> Option<usize> {
        match self.claims {
            Claims::Honest => Some(number),
            Claims::None => None,
            Claims::Zero => Some(0),
            Claims::Capped(cap) => Some(number.min(cap)),
            Claims::TooMany(more) => Some(number + more),
            Claims::TooFew(fewer) => Some(number.saturating_sub(fewer)),
        }
    }

    /// Returns the places of the events of a range, in the order of the list.
    fn listed(&self, query: &PageQuery, now: u64) -> Vec<usize> {
        let (from, to) = (second_of(query.from), query.to.map(second_of));
        let is_listed = |second: i64| {
            let after = second > from || self.includes.0 && second == from;
            after && to.is_none_or(|to| second < to || self.includes.1 && second == to)
        };
        let places = self.ordered.iter().copied();
        places
            .filter(|place| {
                let Record { created, appears } = self.records[*place];
                appears <= now && (self.ignores_range || is_listed(created.cast_signed()))
            })
            .collect()
    }
}

/// Returns the places of the events in an order.
fn ordered(records: &[Record], order: Order) -> Vec<usize> {
    let mut places: Vec<_> = (0..records.len()).collect();
    places.sort_by_key(|place| records[*place].created);
    match order {
        Order::NewestFirst => places.reverse(),
        Order::OldestFirst | Order::None => {}
        Order::Fixed => places.sort_by_key(|place| (*place as u64 ^ 0x55).reverse_bits()),
    }
    places
}

/// Reads groups of events: the second of their creation, their number, and how late the list
/// shows them.
fn records(bytes: &mut Bytes<'_>) -> Vec<Record> {
    let groups = bytes.byte() % MAX_GROUPS;
    let mut records = Vec::new();
    for _ in 0..groups {
        let [second, number, late] = [bytes.byte(), bytes.byte(), bytes.byte()];
        let created = u64::from(second) % SECONDS;
        for place in 0..u64::from(number) {
            // A number that is odd is spread over as many seconds.
            let created = if number % 2 == 0 {
                created
            } else {
                (created + place) % SECONDS
            };
            let late = match late % 4 {
                0 | 1 => 0,
                2 => u64::from(late / 4),
                _ => place % (u64::from(late / 4) + 1),
            };
            records.push(Record {
                created,
                appears: created + late,
            });
        }
    }
    records
}

/// Returns an event as an element of a page.
pub(super) fn element(id: &str, created: u64) -> String {
    let created = Offset::UTC.to_datetime(moment(Duration::from_secs(created)));
    format!(r#"{{"id":"{id}","event_type":"T","created_at":"{created}"}}"#)
}

/// Returns a page.
pub(super) fn render(events: &[&str], has_next: bool, claimed: Option<usize>) -> String {
    let next = if has_next { r#","next":{}"# } else { "" };
    let page = claimed.map_or(String::new(), |claimed| {
        format!(r#","page":{{"totalElements":{claimed}}}"#)
    });
    format!(
        r#"{{"_embedded":{{"events":[{}]}},"_links":{{"self":{{}}{next}}}{page}}}"#,
        events.join(",")
    )
}
