//! Reads a page in one pass, provided that every field has the documented type.
//!
//! Nearly every page is like that. All others are left to the lenient parser. It is slower,
//! and gives the same result for a page that this module can read.

use std::borrow::Cow;

use super::{
    Element, EventFields, Keep, MAX_ELEMENTS, Page, add_account, known_by, lenient_links,
    scanner::Scanner, usual_names::UsualNames,
};
use crate::event::{AuditEvent, Labels, label_value, parse_time};

/// The elements to reserve memory for; a page of 100 is asked for.
const USUAL_ELEMENTS: usize = 128;

/// An event whose fields are strings; `null` counts as missing.
type PlainEvent<'a> = EventFields<Option<&'a str>>;

/// Returns the page; `None` if any of it has to be read leniently.
pub(super) fn parse(text: &str, keep: Keep) -> Option<Page<'_>> {
    let mut page = Page::nothing();
    let (mut has_events, mut has_counts, mut links) = (false, false, None);
    let mut scanner = Scanner::new(text);
    scanner.object(|scanner, name| match name {
        b"_embedded" => embedded(scanner, keep, &mut page, &mut has_events),
        b"page" if !has_counts => {
            has_counts = true;
            counts(scanner, &mut page)
        }
        b"_links" if links.is_none() => {
            links = Some(scanner.with_text(Scanner::skip)?.1);
            Some(())
        }
        // The lenient parser says what a page with two of them is.
        b"page" | b"_links" => None,
        _ => scanner.skip(),
    })?;
    scanner.end()?;
    page.has_next = links
        .and_then(lenient_links)
        .is_some_and(|links| links.next.is_some());
    (has_events && has_counts).then_some(page)
}

fn embedded<'a>(
    scanner: &mut Scanner<'a>,
    keep: Keep,
    page: &mut Page<'a>,
    has_events: &mut bool,
) -> Option<()> {
    if *has_events {
        return None;
    }
    scanner.object(|scanner, name| match name {
        b"events" if !*has_events => {
            *has_events = true;
            page.elements.reserve(USUAL_ELEMENTS);
            let mut usual = UsualNames::default();
            scanner.array(|scanner| add_event(scanner, &mut usual, keep, page))
        }
        b"events" => None,
        _ => scanner.skip(),
    })?;
    has_events.then_some(())
}

fn counts(scanner: &mut Scanner<'_>, page: &mut Page<'_>) -> Option<()> {
    let (mut has_elements, mut has_pages) = (false, false);
    scanner.object(|scanner, name| match name {
        b"totalElements" if !has_elements => {
            has_elements = true;
            scanner.number_or_null(&mut page.total_elements)
        }
        b"totalPages" if !has_pages => {
            has_pages = true;
            scanner.number_or_null(&mut page.total_pages)
        }
        b"totalElements" | b"totalPages" => None,
        _ => scanner.skip(),
    })
}

fn add_event<'a>(
    scanner: &mut Scanner<'a>,
    usual: &mut UsualNames<'a>,
    keep: Keep,
    page: &mut Page<'a>,
) -> Option<()> {
    if page.elements.len() == MAX_ELEMENTS {
        return None;
    }
    let (event, raw) = scanner.with_text(|scanner| event(scanner, usual))?;
    page.elements.push(element(&event, &mut page.account_ids)?);
    if keep == Keep::Raw {
        page.raw.push(raw);
    }
    Some(())
}

fn event<'a>(scanner: &mut Scanner<'a>, usual: &mut UsualNames<'a>) -> Option<PlainEvent<'a>> {
    let mut event = PlainEvent::default();
    scanner.usual_object(usual, |scanner, name| {
        let place = match name {
            b"id" => &mut event.id,
            b"event_type" => &mut event.event_type,
            b"created_at" => &mut event.created_at,
            b"source" => &mut event.source,
            b"source_country" => &mut event.source_country,
            b"account_id" => &mut event.account_id,
            _ => return scanner.skip(),
        };
        scanner.string_or_null(place)
    })?;
    Some(event)
}

fn element<'a>(event: &PlainEvent<'a>, account_ids: &mut Vec<Cow<'a, str>>) -> Option<Element<'a>> {
    let id = event.id.filter(|id| !id.is_empty())?;
    add_account(account_ids, event.account_id.map(Cow::Borrowed));
    let (id, id_text) = known_by(Cow::Borrowed(id));
    let created_at = match event.created_at {
        // The lenient parser says of which form a time is that cannot be read.
        Some(text) => Some(parse_time(text)?),
        None => None,
    };
    Some(Element::Event(AuditEvent {
        id,
        id_text,
        created_at,
        labels: Labels {
            event_type: label(event.event_type),
            source: label(event.source),
            source_country: label(event.source_country),
        },
    }))
}

fn label(text: Option<&str>) -> Cow<'_, str> {
    label_value(text.map(Cow::Borrowed))
}
