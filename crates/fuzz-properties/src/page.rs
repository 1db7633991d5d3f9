//! An answer to a list request: an answer that is no page is an error, and the elements
//! of a page are read independently of each other.

use audit_core::event::{Element, Keep, Page, PageError};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{same, text};

const ODD: &str = r#"{"no": "id"}"#;

/// A page as a plain reader of JSON reads it.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "_embedded")]
    embedded: Option<Embedded>,
}

#[derive(Deserialize)]
struct Embedded {
    events: Option<Vec<Box<RawValue>>>,
}

pub fn holds(data: &[u8]) {
    let body = text(data);
    match Page::parse(&body, Keep::Parsed) {
        Ok(page) => is_whole(&body, &page),
        Err(PageError::NotJson { line, column }) => {
            // A plain reader takes no numbers beyond those of JSON's data model, and no
            // halves of surrogate pairs.
            assert!(
                serde_json::from_str::<Value>(&body).is_err(),
                "the answer is JSON"
            );
            assert!(line <= 1 + body.matches('\n').count(), "line {line}");
            assert!(column <= body.len(), "column {column}");
        }
        Err(PageError::NotAPage | PageError::TooManyElements) => {}
    }
}

fn is_whole(body: &str, page: &Page<'_>) {
    if body.trim_ascii().is_empty() {
        assert!(page.elements.is_empty() && page.total_elements == Some(0));
        return;
    }
    assert!(
        body.trim_ascii_start().starts_with('{'),
        "an answer that is no object is no page"
    );
    let answer: Result<Answer, _> = serde_json::from_str(body);
    let Ok(Answer {
        embedded: Some(Embedded {
            events: Some(events),
        }),
    }) = answer
    else {
        return;
    };
    assert_eq!(page.elements.len(), events.len());
    let raw: Vec<&str> = events.iter().map(|event| event.get()).collect();
    let kept = Page::parse(body, Keep::Raw).expect("a page");
    assert_eq!((&kept.elements, &kept.raw), (&page.elements, &raw));
    for (place, element) in page.elements.iter().enumerate().take(8) {
        let mut with_odd = raw.clone();
        with_odd[place] = ODD;
        let (alone, others) = (page_of(&raw[place..=place]), page_of(&with_odd));
        same("alone", &read(&alone), &vec![element.clone()]);
        let mut others = read(&others);
        assert!(matches!(others[place], Element::Malformed(_)));
        others[place] = element.clone();
        same("beside an odd one", &others, &page.elements);
    }
}

fn page_of(events: &[&str]) -> String {
    format!(r#"{{"_embedded":{{"events":[{}]}}}}"#, events.join(","))
}

fn read(page: &str) -> Vec<Element<'_>> {
    Page::parse(page, Keep::Parsed).expect("a page").elements
}
