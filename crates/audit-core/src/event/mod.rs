//! Audit events, parsed leniently from what the API sends.
//!
//! A fault in one event costs at most that event: a field of the wrong kind
//! reads as missing, and only an event without an id is malformed. Nothing here
//! keeps, or can print, the personal fields of an event. Pure: no clock, no
//! network, no file.

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
pub use types::{EventType, TypesError, parse_types};

use std::borrow::Cow;

use jiff::Timestamp;

/// What is counted of an audit event, borrowed from the answer that held it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent<'a> {
    /// What the event is known by.
    pub id: EventId,
    /// The id as the API writes it, where that is not what `id` displays as.
    pub id_text: Option<Cow<'a, str>>,
    /// When the API says it happened; `None` where that cannot be read.
    pub created_at: Option<Timestamp>,
    /// The labels that it is counted under.
    pub labels: Labels<'a>,
}

/// The label values of one event, already cut and defaulted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels<'a> {
    /// For example `NUMBER_UPDATED`; an open set.
    pub event_type: Cow<'a, str>,
    /// `CD` (Customer Dashboard), `DEVAPI` (Developer API), or what comes next.
    pub source: Cow<'a, str>,
    /// ISO 3166-1 alpha-2, as far as the API keeps to it.
    pub source_country: Cow<'a, str>,
}

impl Labels<'static> {
    /// Those of events that the series cap left no room for: [`OTHER`] throughout.
    #[must_use]
    pub const fn other() -> Self {
        Self {
            event_type: Cow::Borrowed(OTHER),
            source: Cow::Borrowed(OTHER),
            source_country: Cow::Borrowed(OTHER),
        }
    }
}
