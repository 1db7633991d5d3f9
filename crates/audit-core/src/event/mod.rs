//! Audit events, parsed leniently from the answers of the API.
//!
//! A fault in one event costs at most that event: a field of the wrong kind counts as
//! missing, and only an event without an id is malformed. Personal fields are skipped,
//! so that no value of this module can print them.

mod filter;
mod id;
mod label;
mod page;
mod time;
mod types;

pub use filter::TypeFilter;
pub use id::EventId;
pub use label::{LABEL_MAX_CHARS, OTHER, UNKNOWN, label_value};
pub use page::{Element, Keep, Page, PageError};
pub use time::parse_time;
pub use types::{EventType, KNOWN_TYPES, TypesError, parse_types, types_from_zero};

use std::borrow::Cow;

use jiff::Timestamp;

/// The fields of an audit event that are counted, borrowed from the answer that contains
/// the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent<'a> {
    /// The identity of the event.
    pub id: EventId,
    /// The id as the API writes it; `None` if `id` is displayed in the same way.
    pub id_text: Option<Cow<'a, str>>,
    /// The time of creation; `None` if it is missing or unreadable.
    pub created_at: Option<Timestamp>,
    /// The labels of the series that counts the event.
    pub labels: Labels<'a>,
}

/// The label values of one event, as [`label_value`] makes them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels<'a> {
    /// The type of the event, for example `NUMBER_UPDATED`. The API may add types.
    pub event_type: Cow<'a, str>,
    /// The origin of the event: `CD` (Customer Dashboard) or `DEVAPI` (Developer API). The
    /// API may add origins.
    pub source: Cow<'a, str>,
    /// The country that the event came from: an ISO 3166-1 alpha-2 code, as documented.
    pub source_country: Cow<'a, str>,
}

impl Labels<'static> {
    /// Returns the labels of events beyond the series cap: [`OTHER`] throughout.
    #[must_use]
    pub const fn other() -> Self {
        Self {
            event_type: Cow::Borrowed(OTHER),
            source: Cow::Borrowed(OTHER),
            source_country: Cow::Borrowed(OTHER),
        }
    }
}
