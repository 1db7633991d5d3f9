//! A page on which nothing is odd, read in one pass. That is nearly every page;
//! anything else is left to the lenient reading, which must say the same of these.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Element, Fields, Page, known_by};
use crate::event::{AuditEvent, Labels, label_value, parse_time};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, rename = "_embedded")]
    embedded: Embedded<'a>,
    page: Counts,
}

#[derive(Deserialize)]
struct Embedded<'a> {
    #[serde(borrow)]
    events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    total_elements: Option<u64>,
    total_pages: Option<u64>,
}

/// `null` reads as missing.
type Event<'a> = Fields<Option<Text<'a>>>;

/// Within an `Option`, serde borrows no `Cow` by itself.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The page; `None` where anything on it is odd.
pub(super) fn parse(text: &str) -> Option<Page<'_>> {
    let answer: Answer = serde_json::from_str(text).ok()?;
    let elements = answer.embedded.events.into_iter().map(element);
    Some(Page {
        elements: elements.collect::<Option<_>>()?,
        raw: Vec::new(),
        total_elements: answer.page.total_elements,
        total_pages: answer.page.total_pages,
    })
}

fn element(event: Event<'_>) -> Option<Element<'_>> {
    let Text(id) = event.id.flatten()?;
    if id.is_empty() {
        return None;
    }
    let (id, id_text) = known_by(id);
    Some(Element::Event(AuditEvent {
        id,
        id_text,
        created_at: event
            .created_at
            .flatten()
            .and_then(|Text(created_at)| parse_time(&created_at)),
        labels: Labels {
            event_type: label(event.event_type.flatten()),
            source: label(event.source.flatten()),
            source_country: label(event.source_country.flatten()),
        },
    }))
}

fn label(text: Option<Text<'_>>) -> Cow<'_, str> {
    label_value(text.map(|Text(text)| text))
}
