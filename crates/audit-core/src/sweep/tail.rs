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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event::Keep;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn event(second: i64) -> Value {
        json!({"id": format!("e{second}"), "created_at": at(second).to_string()})
    }

    /// Returns a tail from second 100 on that has shown these elements.
    fn tail(elements: &[Value]) -> Tail {
        let mut tail = Tail::new(at(100));
        take(&mut tail, elements);
        tail
    }

    fn take(tail: &mut Tail, elements: &[Value]) {
        let text = json!({"_embedded": {"events": elements}}).to_string();
        tail.take(&Page::parse(&text, Keep::Parsed).expect("a page"));
    }

    #[test]
    fn a_range_that_ends_clearly_later_need_not_be_read_before_what_was_seen() {
        let mut tail = tail(&[event(99), event(105), event(106), event(107)]);
        assert_eq!(tail.seen_of(at(200)), None);
        tail.end(at(106));
        assert_eq!(tail.seen_of(at(107)), None);
        assert_eq!(tail.seen_of(at(108)), Some(at(106)));
        assert_eq!(tail.before(at(106)).count(), 2);
        take(&mut tail, &[event(101), json!({})]);
        assert_eq!(tail.seen_of(at(200)), Some(at(106)));
        assert_eq!(tail.before(at(106)).count(), 2);
    }

    #[test]
    fn a_tail_of_which_nothing_was_seen_is_read_again() {
        for (seen, expected) in [(100, None), (101, Some(at(101)))] {
            let mut tail = tail(&[event(100)]);
            tail.end(at(seen));
            assert_eq!(tail.seen_of(at(200)), expected);
        }
    }

    #[test]
    fn an_element_whose_time_does_not_say_that_it_was_asked_for_spoils_the_tail() {
        let unread = json!({"id": "a", "created_at": "soon"});
        for element in [event(98), unread, json!({"note": 1})] {
            let mut tail = tail(&[event(103), element.clone(), event(104)]);
            tail.end(at(105));
            assert_eq!(tail.seen_of(at(200)), None, "{element}");
        }
    }
}
