//! A model of an API whose list grows while it is read.

use std::cmp::Reverse;

use fastrand::Rng;
use jiff::{Timestamp, tz::Offset};

/// 2026-11-20T00:00:00Z, in milliseconds. All moments of the model are in milliseconds after
/// it.
const START: i64 = 1_795_132_800_000;
pub(crate) const SECOND: i64 = 1000;

pub(crate) fn at(time: i64) -> Timestamp {
    Timestamp::from_millisecond(START + time).expect("a time within range")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
    /// An order that has nothing to do with time, and that new events do not change.
    Fixed,
    /// A different order at every request.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claims {
    Honest,
    None,
    /// Never more than so many, though everything is shown.
    Capped(u64),
    TooMany(u64),
    /// So many fewer than there are.
    TooFew(u64),
}

/// How the API shows an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rendering {
    Plain,
    NoTime,
    Malformed,
    /// Without an id, and different in every answer.
    Fickle,
    /// With a time in the future, which only a range without an end includes.
    Year9999,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub(crate) created: i64,
    /// When the list begins to show the event.
    pub(crate) appears: i64,
    pub(crate) rendering: Rendering,
}

#[derive(Debug, Clone)]
pub(crate) struct Api {
    /// The events. The id of each is its place.
    pub(crate) records: Vec<Record>,
    pub(crate) order: Order,
    pub(crate) claims: Claims,
    /// The largest number of events on a page.
    pub(crate) clamp: u64,
    /// Says of both bounds of a range whether they are included.
    pub(crate) includes: (bool, bool),
    /// `true` if the end of a range is not looked at.
    pub(crate) ignores_end: bool,
}

/// One request for a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) from: Timestamp,
    pub(crate) to: Option<Timestamp>,
    pub(crate) page: u64,
    pub(crate) size: u64,
}

impl Api {
    /// Answers a request at the moment `now`.
    pub(crate) fn page(&self, request: &Request, now: i64, rng: &mut Rng) -> String {
        let mut listed = self.listed(request, now);
        match self.order {
            Order::NewestFirst => listed.sort_by_key(|place| Reverse(self.key(*place))),
            Order::OldestFirst => listed.sort_by_key(|place| self.key(*place)),
            Order::Fixed => listed.sort_by_key(|place| (*place as u64 ^ 0x55).reverse_bits()),
            Order::None => rng.shuffle(&mut listed),
        }
        let size = usize::try_from(request.size.min(self.clamp)).expect("a size");
        let before = usize::try_from(request.page - 1).expect("a page") * size;
        let shown = listed.iter().skip(before).take(size);
        let events: Vec<_> = shown.map(|place| self.element(*place, rng)).collect();
        let total = listed.len() as u64;
        let claimed = match self.claims {
            Claims::Honest => Some(total),
            Claims::None => None,
            Claims::Capped(cap) => Some(total.min(cap)),
            Claims::TooMany(more) => Some(total + more),
            Claims::TooFew(fewer) => Some(total.saturating_sub(fewer)),
        };
        let page = claimed.map_or(String::new(), |claimed| {
            format!(r#", "page": {{"totalElements": {claimed}}}"#)
        });
        let next = if before + size < listed.len() {
            r#", "next": {}"#
        } else {
            ""
        };
        let events = events.join(", ");
        format!(
            r#"{{"_embedded": {{"events": [{events}]}}, "_links": {{"self": {{}}{next}}}{page}}}"#
        )
    }

    /// Returns the places of the events that are listed in a range at the moment `now`.
    pub(crate) fn listed(&self, request: &Request, now: i64) -> Vec<usize> {
        let from = request.from.as_second();
        let to = request.to.filter(|_| !self.ignores_end);
        let to = to.map(Timestamp::as_second);
        let is_listed = |record: &Record| {
            let second = match record.rendering {
                Rendering::Year9999 => i64::MAX,
                _ => at(record.created).as_second(),
            };
            let after = second > from || self.includes.0 && second == from;
            let before = to.is_none_or(|to| second < to || self.includes.1 && second == to);
            record.appears <= now && after && before
        };
        let places = 0..self.records.len();
        places
            .filter(|place| is_listed(&self.records[*place]))
            .collect()
    }

    /// Returns what the list is ordered by: the time that is shown.
    fn key(&self, place: usize) -> (i64, usize) {
        let record = self.records[place];
        match record.rendering {
            Rendering::Year9999 => (i64::MAX, place),
            _ => (record.created / SECOND, place),
        }
    }

    fn element(&self, place: usize, rng: &mut Rng) -> String {
        let record = self.records[place];
        let created_at = Offset::UTC.to_datetime(at(record.created / SECOND * SECOND));
        match record.rendering {
            Rendering::Plain => format!(r#"{{"id": "e{place}", "created_at": "{created_at}"}}"#),
            Rendering::NoTime => format!(r#"{{"id": "e{place}", "created_at": "soon"}}"#),
            Rendering::Malformed => format!(r#"{{"note": {place}}}"#),
            Rendering::Fickle => format!(r#"{{"note": {place}, "at": {}}}"#, rng.u64(..)),
            Rendering::Year9999 => {
                format!(r#"{{"id": "e{place}", "created_at": "9999-12-30T00:00:00"}}"#)
            }
        }
    }
}
