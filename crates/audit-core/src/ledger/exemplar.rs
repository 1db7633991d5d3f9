//! The newest event of a counter.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;

use crate::event::EventId;

/// The greatest length of an event id in an exemplar. OpenMetrics allows 128 characters
/// for all labels of an exemplar together with their names.
const EXEMPLAR_MAX_CHARS: usize = 128 - "event_id".len();

/// The newest event of a counter, by which a point on a graph leads to an event.
///
/// Takes 32 bytes, since every series keeps one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemplar {
    name: EventName,
    /// The time of creation, in milliseconds since 1970.
    created_at: i64,
}

/// The id of an event as the API writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum EventName {
    /// A UUID in lower case, as its bits.
    Uuid([u8; 16]),
    Text(Arc<str>),
}

impl Exemplar {
    /// Returns the exemplar of an event. `text` is its id as the API writes it, if `id` is
    /// displayed differently. Returns `None` if that text is too long for an exemplar,
    /// since an id that is cut leads to no event.
    #[must_use]
    pub fn new(id: EventId, text: Option<&str>, created_at: Timestamp) -> Option<Self> {
        let name = match text {
            None => EventName::Uuid(id.to_bits().to_be_bytes()),
            Some(text) if text.chars().nth(EXEMPLAR_MAX_CHARS).is_some() => return None,
            Some(text) => EventName::Text(text.into()),
        };
        Some(Self {
            name,
            created_at: created_at.as_millisecond(),
        })
    }

    /// Returns the id as the API writes it.
    #[must_use]
    pub fn event_id(&self) -> Cow<'_, str> {
        match &self.name {
            EventName::Uuid(bits) => Cow::Owned(uuid(*bits).to_string()),
            EventName::Text(text) => Cow::Borrowed(text),
        }
    }

    /// Returns the time of creation, in milliseconds since 1970; the time when the event
    /// was first seen if the API gave none.
    #[must_use]
    pub fn created_at(&self) -> i64 {
        self.created_at
    }

    /// Returns the id to be stored: either an [`EventId`] or a text.
    #[must_use]
    pub fn parts(&self) -> (Option<EventId>, Option<&str>) {
        match &self.name {
            EventName::Uuid(bits) => (Some(uuid(*bits)), None),
            EventName::Text(text) => (None, Some(text)),
        }
    }
}

fn uuid(bits: [u8; 16]) -> EventId {
    EventId::from_bits(u128::from_be_bytes(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemplar_can_be_made_again_from_what_is_stored() {
        let created_at = Timestamp::from_millisecond(1_795_132_800_250).expect("a time");
        for (id, text) in [
            ("aaaaaaaa-bbbb-cccc-dddd-0123456789ab", None),
            ("event-1", Some("event-1")),
        ] {
            let exemplar = Exemplar::new(EventId::from_text(id), text, created_at);
            let exemplar = exemplar.expect("an exemplar");
            assert_eq!(exemplar.created_at(), 1_795_132_800_250);
            let again = match exemplar.parts() {
                (Some(id), None) => Exemplar::new(id, None, created_at),
                (None, Some(text)) => {
                    Exemplar::new(EventId::from_text(text), Some(text), created_at)
                }
                parts => panic!("{parts:?}"),
            };
            assert_eq!(again, Some(exemplar));
        }
    }

    #[test]
    fn an_id_is_whole_or_no_exemplar() {
        // With the name of the label, 128 characters and one more.
        let longest = "é".repeat(120);
        let longer = "é".repeat(121);
        let uuid = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
        let cases = [
            (uuid, None, Some(uuid)),
            ("event-1", Some("event-1"), Some("event-1")),
            (&longest, Some(&*longest), Some(&*longest)),
            (&longer, Some(&*longer), None),
        ];
        for (id, text, shown) in cases {
            let exemplar = Exemplar::new(EventId::from_text(id), text, Timestamp::UNIX_EPOCH);
            let event_id = exemplar.as_ref().map(Exemplar::event_id);
            assert_eq!(event_id.as_deref(), shown, "{id}");
        }
    }
}
