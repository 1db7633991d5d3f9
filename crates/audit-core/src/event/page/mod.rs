//! One page of the list of events.

mod plain;
mod scanner;
mod usual_names;

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{AuditEvent, EventId, Labels, label_value, parse_time, time::time_form};

/// One page of the list of events, borrowed from the answer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<'a> {
    /// The elements, in the order of the answer. The API promises no order.
    pub elements: Vec<Element<'a>>,
    /// The JSON of each element, in the same order; empty unless the page was parsed
    /// with [`Keep::Raw`].
    pub raw: Vec<&'a str>,
    /// The number of events on all pages of the query, as the API claims.
    pub total_elements: Option<u64>,
    /// The number of pages, as the API claims.
    pub total_pages: Option<u64>,
    /// `true` if the page has a link to a next page. The address of the link is not kept: it
    /// must not be followed.
    pub has_next: bool,
    /// The form of the first time of creation that cannot be read, without its value.
    pub unread_time: Option<String>,
    /// The accounts that the events belong to, as the API names them; at most two of them.
    pub account_ids: Vec<Cow<'a, str>>,
}

/// The parts of its elements that a parsed page keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The fields of each element that are counted, and nothing else.
    Parsed,
    /// Also the JSON of each element, as the API wrote it.
    Raw,
}

/// One element of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element<'a> {
    /// An event that can be counted.
    Event(AuditEvent<'a>),
    /// An element without an id. A hash of its JSON identifies it, so that it is counted
    /// as malformed once and not at every poll.
    Malformed(EventId),
}

impl Element<'_> {
    /// Returns the identity of the element.
    #[must_use]
    pub fn id(&self) -> EventId {
        match self {
            Element::Event(event) => event.id,
            Element::Malformed(id) => *id,
        }
    }
}

/// The error for an answer that is not a page of audit events. It never quotes the
/// answer, which may contain personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The answer is not JSON: it is HTML, for example, or ends too early.
    #[error("the answer is not JSON (line {line}, column {column})")]
    NotJson {
        /// The line where parsing stopped, from 1.
        line: usize,
        /// The column where parsing stopped, from 1.
        column: usize,
    },
    /// The answer is JSON, but of another kind.
    #[error(
        "the answer is JSON, but not a list of audit events (`_embedded` and `page` were expected)"
    )]
    NotAPage,
    /// The answer has more elements than any page of events of that size.
    #[error("the answer lists more than {MAX_ELEMENTS} elements on one page")]
    TooManyElements,
}

/// The highest number of elements of a page. A page of 100 events is asked for, and the largest
/// answer that is read holds fewer events than this.
const MAX_ELEMENTS: usize = 50_000;

/// The elements of a page, up to [`MAX_ELEMENTS`].
#[derive(Default)]
struct Elements<'a> {
    list: Vec<&'a RawValue>,
    /// `true` if the page has more.
    has_more: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ElementsVisitor)
    }
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of audit events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while list.len() < MAX_ELEMENTS {
            let Some(element) = elements.next_element()? else {
                return Ok(Elements {
                    list,
                    has_more: false,
                });
            };
            list.push(element);
        }
        let mut has_more = false;
        while elements.next_element::<IgnoredAny>()?.is_some() {
            has_more = true;
        }
        Ok(Elements { list, has_more })
    }
}

impl<'a> Page<'a> {
    /// Reads the answer to `GET …/events`. An empty text is an empty page, since the API
    /// documents status 204.
    ///
    /// # Errors
    /// [`PageError`] if the text as a whole is not a page. A fault within an element is
    /// not an error.
    pub fn parse(text: &'a str, keep: Keep) -> Result<Self, PageError> {
        if text.trim_ascii().is_empty() {
            return Ok(Self {
                total_elements: Some(0),
                total_pages: Some(0),
                ..Self::nothing()
            });
        }
        // Serde would accept an array of two as a page, and read the answer of another
        // API as an account without events.
        if text.trim_ascii_start().starts_with('[') {
            return serde_json::from_str::<IgnoredAny>(text)
                .map_or_else(|error| Err(not_json(&error)), |_| Err(PageError::NotAPage));
        }
        plain::parse(text, keep).map_or_else(|| Self::parse_lenient(text, keep), Ok)
    }

    /// Reads the answer to a request for a page after the first. In contrast to [`Page::parse`],
    /// `{}` is a page without elements: some APIs answer so behind the last page.
    ///
    /// # Errors
    /// As [`Page::parse`].
    pub fn parse_further(text: &'a str, keep: Keep) -> Result<Self, PageError> {
        let inside = text
            .trim_ascii()
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        if inside.is_some_and(|inside| inside.trim_ascii().is_empty()) {
            return Ok(Self::nothing());
        }
        Self::parse(text, keep)
    }

    fn nothing() -> Self {
        Self {
            elements: Vec::new(),
            raw: Vec::new(),
            total_elements: None,
            total_pages: None,
            has_next: false,
            unread_time: None,
            account_ids: Vec::new(),
        }
    }

    fn parse_lenient(text: &'a str, keep: Keep) -> Result<Self, PageError> {
        let LenientPage {
            embedded,
            page,
            links,
            id,
        } = serde_json::from_str(text).map_err(|error| {
            if error.is_data() {
                PageError::NotAPage
            } else {
                not_json(&error)
            }
        })?;
        let links = links.map(RawValue::get).and_then(lenient_links);
        // A page without events and without counts is known by the link to itself.
        let is_linked = links.as_ref().is_some_and(|links| links.this.is_some());
        if embedded.is_none() && page.is_none() && (!is_linked || id.is_some()) {
            return Err(PageError::NotAPage);
        }
        let events = embedded.and_then(|embedded| embedded.events);
        let Elements {
            list: events,
            has_more,
        } = events.unwrap_or_default();
        if has_more {
            return Err(PageError::TooManyElements);
        }
        let counts = page.unwrap_or_default();
        let (mut unread_time, mut account_ids) = (None, Vec::new());
        let elements = events.iter().copied();
        let elements = elements.map(|raw| element(raw, &mut unread_time, &mut account_ids));
        Ok(Self {
            elements: elements.collect(),
            raw: match keep {
                Keep::Parsed => Vec::new(),
                Keep::Raw => events.into_iter().map(RawValue::get).collect(),
            },
            total_elements: counts.total_elements.and_then(number),
            total_pages: counts.total_pages.and_then(number),
            has_next: links.is_some_and(|links| links.next.is_some()),
            unread_time,
            account_ids,
        })
    }
}

fn not_json(error: &serde_json::Error) -> PageError {
    PageError::NotJson {
        line: error.line(),
        column: error.column(),
    }
}

#[derive(Deserialize)]
struct LenientPage<'a> {
    #[serde(borrow, rename = "_embedded", default)]
    embedded: Option<LenientEvents<'a>>,
    #[serde(borrow, default)]
    page: Option<LenientCounts<'a>>,
    #[serde(borrow, rename = "_links", default)]
    links: Option<&'a RawValue>,
    /// The id of an event that stands in place of a page.
    #[serde(default)]
    id: Option<IgnoredAny>,
}

/// The links of a page. Their addresses are not read.
#[derive(Deserialize)]
struct PageLinks {
    #[serde(rename = "self", default)]
    this: Option<IgnoredAny>,
    #[serde(default)]
    next: Option<IgnoredAny>,
}

/// Returns the links; `None` if they are no object.
fn lenient_links(raw: &str) -> Option<PageLinks> {
    let is_object = raw.starts_with('{');
    is_object.then(|| serde_json::from_str(raw).ok())?
}

#[derive(Deserialize)]
struct LenientEvents<'a> {
    #[serde(borrow, default)]
    events: Option<Elements<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct LenientCounts<'a> {
    #[serde(borrow, default)]
    total_elements: Option<&'a RawValue>,
    #[serde(borrow, default)]
    total_pages: Option<&'a RawValue>,
}

/// Returns a whole number, which may have been written as a string.
fn number(raw: &RawValue) -> Option<u64> {
    raw.get().trim_matches('"').parse().ok()
}

/// Reads an element. Each field is parsed by itself, so that a field of the wrong kind
/// does not affect the others. Keeps the form of the first time that cannot be read.
fn element<'a>(
    raw: &'a RawValue,
    unread_time: &mut Option<String>,
    account_ids: &mut Vec<Cow<'a, str>>,
) -> Element<'a> {
    let fields: RawFields<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
    let Some((id, id_text)) = fields.id.and_then(id) else {
        return Element::Malformed(EventId::from_content(raw.get()));
    };
    add_account(account_ids, fields.account_id.and_then(string));
    let time = fields.created_at.and_then(text_or_number);
    let created_at = time.as_deref().and_then(parse_time);
    if let (None, Some(unread), None) = (created_at, time, &unread_time) {
        *unread_time = Some(time_form(&unread));
    }
    Element::Event(AuditEvent {
        id,
        id_text,
        created_at,
        labels: Labels {
            event_type: label(fields.event_type),
            source: label(fields.source),
            source_country: label(fields.source_country),
        },
    })
}

/// Reads an id: a string that is not empty, or the digits of a number.
fn id(raw: &RawValue) -> Option<(EventId, Option<Cow<'_, str>>)> {
    text_or_number(raw).map(known_by)
}

/// Returns a string that is not empty, or the digits of a number.
fn text_or_number(raw: &RawValue) -> Option<Cow<'_, str>> {
    let is_number = |text: &str| text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    match raw.get() {
        number if is_number(number) => Some(Cow::Borrowed(number)),
        _ => string(raw).filter(|text| !text.is_empty()),
    }
}

fn known_by(text: Cow<'_, str>) -> (EventId, Option<Cow<'_, str>>) {
    let (id, is_spelled) = EventId::from_spelling(&text);
    (id, (!is_spelled).then_some(text))
}

/// Adds an account to those that are named on a page.
fn add_account<'a>(account_ids: &mut Vec<Cow<'a, str>>, id: Option<Cow<'a, str>>) {
    if let Some(id) = id
        && account_ids.len() < 2
        && !account_ids.contains(&id)
    {
        account_ids.push(id);
    }
}

fn label(raw: Option<&RawValue>) -> Cow<'_, str> {
    label_value(raw.and_then(string))
}

fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let plain = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if !plain.contains('\\') {
        return Some(Cow::Borrowed(plain));
    }
    // Fails for half a surrogate pair. Such a value counts as missing.
    serde_json::from_str(raw.get()).ok().map(Cow::Owned)
}

/// The fields of an event that are read, as values of type `T`. If a name occurs twice, the
/// last value is taken.
#[derive(Default)]
struct EventFields<T> {
    id: T,
    event_type: T,
    created_at: T,
    source: T,
    source_country: T,
    account_id: T,
}

/// The fields of an event, each of any type.
type RawFields<'a> = EventFields<Option<&'a RawValue>>;

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum EventField {
    Id,
    EventType,
    CreatedAt,
    Source,
    SourceCountry,
    AccountId,
    #[serde(other)]
    Other,
}

/// Written by hand because the derived implementation would also accept an array.
impl<'de: 'a, 'a> Deserialize<'de> for RawFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventFieldsVisitor)
    }
}

struct EventFieldsVisitor;

impl<'de> Visitor<'de> for EventFieldsVisitor {
    type Value = RawFields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an audit event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = RawFields::default();
        while let Some(field) = map.next_key()? {
            let place = match field {
                EventField::Id => &mut fields.id,
                EventField::EventType => &mut fields.event_type,
                EventField::CreatedAt => &mut fields.created_at,
                EventField::Source => &mut fields.source,
                EventField::SourceCountry => &mut fields.source_country,
                EventField::AccountId => &mut fields.account_id,
                EventField::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = Some(map.next_value()?);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests;
