//! A model of an API whose list has limits.

use std::cell::Cell;

use jiff::{Timestamp, tz::Offset};

/// The number of events that are asked for on a page.
pub(crate) const PAGE_SIZE: u64 = 10;

/// 2026-11-20T00:00:00Z. All moments of the model are in seconds after it.
const START: i64 = 1_795_132_800;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).expect("a time within range")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// No page after this one is shown.
    Pages(u64),
    /// No event after this one is shown, and no higher number is claimed.
    Events(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
    /// An order that has nothing to do with time.
    Fixed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claims {
    Honest,
    None,
    Zero,
    /// So many more than there are.
    TooMany(u64),
}

/// The answer to a request for a page that is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beyond {
    Empty,
    Refused,
}

#[derive(Debug, Clone)]
pub(crate) struct Api {
    /// The second of creation of each event, whose id is its place.
    pub(crate) seconds: Vec<i64>,
    /// The number of requests after which the list has each event; the list has an event
    /// without a number from the beginning.
    pub(crate) appears_after: Vec<usize>,
    /// The number of requests so far.
    pub(crate) requests: Cell<usize>,
    pub(crate) limit: Option<Limit>,
    /// The largest number of events on a page.
    pub(crate) clamp: u64,
    pub(crate) order: Order,
    pub(crate) claims: Claims,
    /// `true` if a page has a link to the next one where events follow.
    pub(crate) links: bool,
    /// `true` if every page has such a link.
    pub(crate) links_always: bool,
    /// `true` if the range of a request is not looked at.
    pub(crate) ignores_range: bool,
    pub(crate) beyond: Beyond,
    /// Says of both bounds of a range whether they are included.
    pub(crate) includes: (bool, bool),
}

impl Api {
    /// Returns an API without events that does what is documented.
    pub(crate) fn plain() -> Self {
        Self {
            seconds: Vec::new(),
            appears_after: Vec::new(),
            requests: Cell::new(0),
            limit: None,
            clamp: PAGE_SIZE,
            order: Order::NewestFirst,
            claims: Claims::Honest,
            links: true,
            links_always: false,
            ignores_range: false,
            beyond: Beyond::Empty,
            includes: (true, true),
        }
    }

    /// Returns the number of events that one query shows at most.
    pub(crate) fn most_shown(&self) -> Option<u64> {
        match self.limit? {
            Limit::Pages(pages) => Some(pages * self.clamp.min(PAGE_SIZE)),
            Limit::Events(events) => Some(events),
        }
    }

    /// Returns `true` if the API says how many events there are.
    pub(crate) fn tells_number(&self) -> bool {
        self.claims == Claims::Honest && !matches!(self.limit, Some(Limit::Events(_)))
    }

    /// Returns a page; `None` if it is refused.
    pub(crate) fn page(
        &self,
        from: Timestamp,
        to: Option<Timestamp>,
        number: u64,
    ) -> Option<String> {
        self.requests.update(|requests| requests + 1);
        let listed = self.listed(from, to);
        let capped = match self.limit {
            Some(Limit::Events(events)) => events.min(listed.len() as u64),
            _ => listed.len() as u64,
        };
        let size = self.clamp.min(PAGE_SIZE);
        let pages = match self.limit {
            Some(Limit::Pages(pages)) => pages,
            _ => u64::MAX,
        };
        let begin = (number - 1) * size;
        let is_shown = number <= pages && begin < capped;
        if !is_shown && number > 1 && self.beyond == Beyond::Refused {
            return None;
        }
        let end = if is_shown {
            (begin + size).min(capped)
        } else {
            begin
        };
        let events: Vec<_> = (begin..end)
            .map(|place| self.element(listed[usize::try_from(place).expect("a place")]))
            .collect();
        // A link says that events follow, also where a limit hides them.
        let follows = is_shown && end < listed.len() as u64;
        let next = if self.links && follows || self.links_always {
            r#", "next": {"href": "http://api/"}"#
        } else {
            ""
        };
        let page = match self.claims {
            Claims::Honest => format!(r#", "page": {{"totalElements": {capped}}}"#),
            Claims::TooMany(more) => format!(r#", "page": {{"totalElements": {}}}"#, capped + more),
            Claims::None => String::new(),
            Claims::Zero => r#", "page": {"totalElements": 0, "totalPages": 0}"#.to_owned(),
        };
        let events = events.join(", ");
        Some(format!(
            r#"{{"_embedded": {{"events": [{events}]}}, "_links": {{"self": {{}}{next}}}{page}}}"#
        ))
    }

    fn listed(&self, from: Timestamp, to: Option<Timestamp>) -> Vec<usize> {
        let (from, to) = (
            from.as_second() - START,
            to.map(|to| to.as_second() - START),
        );
        let is_listed = |second: i64| {
            let after = second > from || self.includes.0 && second == from;
            after && to.is_none_or(|to| second < to || self.includes.1 && second == to)
        };
        let mut listed: Vec<usize> = (0..self.seconds.len())
            .filter(|place| self.has_appeared(*place))
            .filter(|place| self.ignores_range || is_listed(self.seconds[*place]))
            .collect();
        match self.order {
            Order::NewestFirst => listed.sort_by_key(|place| -self.seconds[*place]),
            Order::OldestFirst => listed.sort_by_key(|place| self.seconds[*place]),
            Order::Fixed => {}
        }
        listed
    }

    fn has_appeared(&self, place: usize) -> bool {
        let after = self.appears_after.get(place);
        after.is_none_or(|after| self.requests.get() > *after)
    }

    fn element(&self, place: usize) -> String {
        let created_at = Offset::UTC.to_datetime(at(self.seconds[place]));
        format!(r#"{{"id": "e{place}", "created_at": "{created_at}"}}"#)
    }
}
