//! The events that the open end of a poll has shown, which the next poll need not read again.

use jiff::{SignedDuration, Timestamp};

use super::piece::earlier;
use crate::event::{Element, EventId, Page};

/// The time by which an event has to be older than the end of a range, for its time of
/// creation alone to say that it is listed in the range.
const CLEARLY: SignedDuration = SignedDuration::from_secs(2);

/// The events that requests for everything from one time on have shown.
///
/// Each of them is listed in every range from that time on that ends clearly after its
/// creation. This holds for an API that selects by the time that it shows.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    from: Timestamp,
    shown: Vec<(EventId, Timestamp)>,
    /// `true` while every element is an event whose time says that it was asked for.
    is_clear: bool,
    /// The time before which events were listed when the tail was read; `None` while it is
    /// being read.
    seen_until: Option<Timestamp>,
}

impl Tail {
    /// Returns the tail that begins at `from`, before it is read.
    pub(super) fn new(from: Timestamp) -> Self {
        Self {
            from,
            shown: Vec::new(),
            is_clear: true,
            seen_until: None,
        }
    }

    /// Takes in a page of the tail. Does nothing once the tail was read.
    pub(super) fn take(&mut self, page: &Page<'_>) {
        if self.seen_until.is_some() {
            return;
        }
        for element in &page.elements {
            match element {
                Element::Event(event) => match event.created_at {
                    Some(time) if time >= earlier(self.from) => {
                        self.shown.push((event.id, time));
                    }
                    _ => self.is_clear = false,
                },
                Element::Malformed(_) => self.is_clear = false,
            }
        }
    }

    /// Records that the tail was read, and that nearly all events that were created before
    /// `seen_until` were listed by then.
    pub(super) fn end(&mut self, seen_until: Timestamp) {
        self.seen_until = Some(seen_until);
    }

    /// Returns the time up to which a range from the beginning of the tail to `to` need not be
    /// read, if there is such a time.
    pub(super) fn seen_of(&self, to: Timestamp) -> Option<Timestamp> {
        let is_within = |seen: &Timestamp| {
            *seen > self.from && *seen <= to.saturating_sub(CLEARLY).unwrap_or(self.from)
        };
        self.seen_until.filter(is_within).filter(|_| self.is_clear)
    }

    /// Returns the events that were created before a time.
    pub(super) fn before(&self, time: Timestamp) -> impl Iterator<Item = EventId> {
        let shown = self.shown.iter();
        shown.filter(move |(_, at)| *at < time).map(|(id, _)| *id)
    }
}
