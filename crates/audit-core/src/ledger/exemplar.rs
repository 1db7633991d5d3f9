//! Which event a counter counted last.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;

use crate::event::EventId;

/// `OpenMetrics` lets the labels of an exemplar have 128 characters, their names
/// included; this is what `event_id` leaves.
const EXEMPLAR_MAX_CHARS: usize = 128 - "event_id".len();

/// The event that a counter counted last, so that a point on a graph leads to it.
/// In 32 bytes, since every series keeps one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemplar {
    name: EventName,
    /// Milliseconds since 1970.
    created_at: i64,
}

/// What the API calls an event.
#[derive(Debug, Clone, PartialEq, Eq)]
enum EventName {
    /// The bits of the id, which displays as it.
    Uuid([u8; 16]),
    Text(Arc<str>),
}

impl Exemplar {
    /// An event, and its id as the API writes it where that is not what `id`
    /// displays as. `None` for a text that no exemplar has room for: an id that
    /// is cut leads nowhere.
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

    /// The id as the API writes it.
    #[must_use]
    pub fn event_id(&self) -> Cow<'_, str> {
        match &self.name {
            EventName::Uuid(bits) => Cow::Owned(uuid(*bits).to_string()),
            EventName::Text(text) => Cow::Borrowed(text),
        }
    }

    /// When the event was created, in milliseconds since 1970, as far as that was
    /// known.
    #[must_use]
    pub fn created_at(&self) -> i64 {
        self.created_at
    }

    /// The event, for whoever stores it: by its id or by its text.
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
    fn an_id_is_whole_or_no_exemplar() {
        let longest = "é".repeat(EXEMPLAR_MAX_CHARS);
        let longer = "é".repeat(EXEMPLAR_MAX_CHARS + 1);
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
