//! An event among others: both readers of a page read it alike and as JSON defines it,
//! and a malformed event does not affect the others.

use std::borrow::Cow;

use audit_core::event::{
    AuditEvent, Element, EventId, Keep, LABEL_MAX_CHARS, Page, PageError, UNKNOWN, parse_time,
};
use serde_json::Value;

use crate::{is_json, same, text};

const BEFORE: &str = r#"{"id":"0e984725-c51c-4bf4-9960-e1c80e27aba0","event_type":"USER_LOGIN","created_at":"2026-11-20T10:15:31","source":"CD","source_country":"SE"}"#;
const AFTER: &str = r#"{"id":"second","event_type":"é\n","source":null}"#;

pub fn holds(data: &[u8]) {
    let event = text(data);
    read_alike(&event);
    if !is_json(&event) {
        return;
    }
    let page = page_of(&event, "1");
    let elements = Page::parse(&page, Keep::Parsed).expect("a page").elements;
    let [element] = &elements[..] else {
        panic!("one element, and not {elements:?}")
    };
    costs_itself_alone(&event, element);
    says_what_json_says(&event, element);
}

fn page_of(elements: &str, total: &str) -> String {
    format!(
        r#"{{"_embedded":{{"events":[{elements}]}},"page":{{"totalElements":{total},"totalPages":1}}}}"#
    )
}

/// A number of events that is a string takes a page off the fast path.
fn read_alike(event: &str) {
    let (number, string) = (page_of(event, "1"), page_of(event, "\"1\""));
    let unplaced = |error| match error {
        PageError::NotJson { .. } => "not JSON",
        PageError::NotAPage => "not a page",
        PageError::TooManyElements => "too many elements",
    };
    let one_pass = Page::parse(&number, Keep::Parsed).map_err(unplaced);
    same(
        "read in one pass, and leniently",
        &one_pass,
        &Page::parse(&string, Keep::Parsed).map_err(unplaced),
    );
}

fn costs_itself_alone(event: &str, element: &Element<'_>) {
    let all = page_of(&[BEFORE, event, AFTER].join(","), "3");
    let (before, after) = (page_of(BEFORE, "1"), page_of(AFTER, "1"));
    let elements = Page::parse(&all, Keep::Parsed).expect("a page").elements;
    let alone = |page| Page::parse(page, Keep::Parsed).expect("a page").elements[0].clone();
    same(
        "between others",
        &elements,
        &vec![alone(&before), element.clone(), alone(&after)],
    );
    assert_eq!(
        Page::parse(&all, Keep::Parsed)
            .expect("a page")
            .total_elements,
        Some(3)
    );
}

fn says_what_json_says(event: &str, element: &Element<'_>) {
    // A plain reader of JSON refuses half a surrogate pair and deep nesting, so there
    // is nothing to compare.
    let Ok(value) = serde_json::from_str::<Value>(event) else {
        return;
    };
    let id = match &value["id"] {
        Value::String(id) if !id.is_empty() => Some(EventId::from_text(id)),
        // The id is known by its digits, which a JSON value does not keep.
        Value::Number(_) => Some(element.id()),
        _ => None,
    };
    match (id, element) {
        (Some(id), Element::Event(event)) => {
            assert_eq!(id, event.id);
            bears(&value, event);
        }
        (None, Element::Malformed(_)) => {}
        (id, element) => panic!("{id:?} is {element:?}"),
    }
}

fn bears(value: &Value, event: &AuditEvent<'_>) {
    let label = |name: &str| -> String {
        let said = value[name].as_str().filter(|said| !said.is_empty());
        said.unwrap_or(UNKNOWN)
            .chars()
            .take(LABEL_MAX_CHARS)
            .collect()
    };
    assert_eq!(event.labels.event_type, label("event_type"));
    assert_eq!(event.labels.source, label("source"));
    assert_eq!(event.labels.source_country, label("source_country"));
    assert_eq!(
        event.created_at,
        match &value["created_at"] {
            Value::Number(number) => parse_time(&number.to_string()),
            other => other.as_str().and_then(parse_time),
        }
    );
    let shown = event
        .id_text
        .clone()
        .unwrap_or(Cow::Owned(event.id.to_string()));
    if let Some(id) = value["id"].as_str() {
        assert_eq!(shown, id);
    }
}
