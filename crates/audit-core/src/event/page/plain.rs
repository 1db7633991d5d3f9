//! Reads a page in one pass, provided that every field has the documented type.
//!
//! Nearly every page is like that. All others are left to the lenient parser. It is slower,
//! and gives the same result for a page that this module can read.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Element, Elements, EventFields, Page, add_account, known_by, lenient_links};
use crate::event::{AuditEvent, Labels, label_value, parse_time};

#[derive(Deserialize)]
struct PlainPage<'a> {
    #[serde(borrow, rename = "_embedded")]
    embedded: PlainEvents<'a>,
    page: PlainCounts,
    #[serde(borrow, rename = "_links", default)]
    links: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PlainEvents<'a> {
    #[serde(borrow)]
    events: Elements<PlainEvent<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainCounts {
    total_elements: Option<u64>,
    total_pages: Option<u64>,
}

/// An event whose fields are strings; `null` counts as missing.
type PlainEvent<'a> = EventFields<Option<PlainText<'a>>>;

/// A string. Serde borrows a `Cow` within an `Option` only with this wrapper.
#[derive(Deserialize)]
struct PlainText<'a>(#[serde(borrow)] Cow<'a, str>);

/// Returns the page; `None` if any of it has to be read leniently.
pub(super) fn parse(text: &str) -> Option<Page<'_>> {
    let answer: PlainPage = serde_json::from_str(text).ok()?;
    let mut account_ids = Vec::new();
    let events = answer.embedded.events;
    if events.has_more {
        return None;
    }
    let elements = events.list.into_iter();
    let elements = elements.map(|event| element(event, &mut account_ids));
    let elements = elements.collect::<Option<_>>()?;
    Some(Page {
        elements,
        raw: Vec::new(),
        total_elements: answer.page.total_elements,
        total_pages: answer.page.total_pages,
        has_next: answer
            .links
            .and_then(lenient_links)
            .is_some_and(|links| links.next.is_some()),
        unread_time: None,
        account_ids,
    })
}

fn element<'a>(event: PlainEvent<'a>, account_ids: &mut Vec<Cow<'a, str>>) -> Option<Element<'a>> {
    let PlainText(id) = event.id.flatten()?;
    if id.is_empty() {
        return None;
    }
    let account_id = event.account_id.flatten().map(|PlainText(text)| text);
    add_account(account_ids, account_id);
    let (id, id_text) = known_by(id);
    let created_at = match event.created_at.flatten() {
        // The lenient parser says of which form a time is that cannot be read.
        Some(PlainText(text)) => Some(parse_time(&text)?),
        None => None,
    };
    Some(Element::Event(AuditEvent {
        id,
        id_text,
        created_at,
        labels: Labels {
            event_type: label(event.event_type.flatten()),
            source: label(event.source.flatten()),
            source_country: label(event.source_country.flatten()),
        },
    }))
}

fn label(text: Option<PlainText<'_>>) -> Cow<'_, str> {
    label_value(text.map(|PlainText(text)| text))
}
