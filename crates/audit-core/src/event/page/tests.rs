use jiff::Timestamp;
use proptest::{prelude::*, sample::select};

use super::*;

fn page_of(events: &str) -> String {
    format!(r#"{{"_embedded": {{"events": [{events}]}}, "page": {{"totalElements": 1}}}}"#)
}

/// The type, source, country and time of the only event; `None` if it is malformed.
fn shown(event: &str) -> Option<(String, String, String, Option<Timestamp>)> {
    let text = page_of(event);
    let page = Page::parse(&text, Keep::Parsed).expect("a page");
    assert_eq!(page.elements.len(), 1, "{event}");
    match page.elements.into_iter().next() {
        Some(Element::Event(event)) => Some((
            event.labels.event_type.into_owned(),
            event.labels.source.into_owned(),
            event.labels.source_country.into_owned(),
            event.created_at,
        )),
        _ => None,
    }
}

#[test]
fn the_documented_answer() {
    let text = include_str!("../../../tests/fixtures/list-as-documented.json");
    let page = Page::parse(text, Keep::Parsed).expect("a page");
    assert_eq!((page.total_elements, page.total_pages), (Some(2), Some(1)));
    let event = |id, event_type, source, country| {
        Element::Event(AuditEvent {
            id: EventId::from_text(id),
            id_text: None,
            created_at: parse_time("2026-11-20T10:15:31"),
            labels: Labels {
                event_type: Cow::Borrowed(event_type),
                source: Cow::Borrowed(source),
                source_country: Cow::Borrowed(country),
            },
        })
    };
    let expected = [
        event(
            "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            "NUMBER_UPDATED",
            "DEVAPI",
            "GB",
        ),
        event(
            "0e984725-c51c-4bf4-9960-e1c80e27aba0",
            "USER_LOGIN",
            "CD",
            "SE",
        ),
    ];
    assert_eq!(page.elements, expected);
}

#[test]
fn a_field_of_the_wrong_kind_costs_only_itself() {
    let whole = r#""id":"a","event_type":"T","source":"CD","source_country":"GB""#;
    let surrogate = r#"{"id":"a","event_type":"\ud800","source":"CD","source_country":"GB"}"#;
    let cases = [
        (format!("{{{whole}}}"), ("T", "CD", "GB")),
        (r#"{"id":"a"}"#.into(), ("unknown", "unknown", "unknown")),
        (
            r#"{"id":"a","event_type":7,"source":["CD"],"source_country":{"a":1}}"#.into(),
            ("unknown", "unknown", "unknown"),
        ),
        (
            r#"{"id":"a","event_type":null,"source":"","source_country":true}"#.into(),
            ("unknown", "unknown", "unknown"),
        ),
        (
            r#"{"id":"a","event_type":"q\"u\\o\nte","source":"\u00e9","source_country":"gb"}"#
                .into(),
            ("q\"u\\o\nte", "é", "gb"),
        ),
        (surrogate.into(), ("unknown", "CD", "GB")),
        (
            format!(r#"{{{whole},"event_type":"LAST"}}"#),
            ("LAST", "CD", "GB"),
        ),
        (
            format!(
                r#"{{{whole},"context":{}1{}}}"#,
                "[".repeat(5000),
                "]".repeat(5000)
            ),
            ("T", "CD", "GB"),
        ),
        (
            format!(r#"{{{whole},"user_id":"text","user_email":5}}"#),
            ("T", "CD", "GB"),
        ),
        (
            r#"{"id":12345,"event_type":"T","source":"CD","source_country":"GB"}"#.into(),
            ("T", "CD", "GB"),
        ),
    ];
    for (event, (event_type, source, country)) in cases {
        let expected = (
            event_type.to_owned(),
            source.to_owned(),
            country.to_owned(),
            None,
        );
        assert_eq!(shown(&event), Some(expected), "{event}");
    }
}

#[test]
fn only_an_element_without_an_id_is_malformed() {
    for event in [
        "{}",
        "null",
        "7",
        r#""text""#,
        "[]",
        r#"{"id":""}"#,
        r#"{"id":null}"#,
        r#"{"id":{}}"#,
        r#"{"id":["a"]}"#,
        r#"["a","T","2026-11-20T10:15:31","CD","GB"]"#,
        r#"{"id":true}"#,
        r#"{"event_type":"USER_LOGIN"}"#,
    ] {
        assert_eq!(shown(event), None, "{event}");
    }
}

#[test]
fn a_malformed_element_costs_only_itself_and_is_known_again() {
    let text = page_of(r#"{"id":"a"}, {"note":1}, {"id":"b"}, {"note":2}, {"note":1}"#);
    let page = Page::parse(&text, Keep::Parsed).expect("a page");
    let ids: Vec<_> = page.elements.iter().map(Element::id).collect();
    assert!(matches!(
        page.elements[..],
        [
            Element::Event(_),
            Element::Malformed(_),
            Element::Event(_),
            Element::Malformed(_),
            Element::Malformed(_)
        ]
    ));
    assert_ne!(ids[1], ids[3]);
    assert_eq!(ids[1], ids[4]);
}

#[test]
fn times() {
    let time = |text: &str| shown(&format!(r#"{{"id":"a","created_at":{text}}}"#)).map(|e| e.3);
    let read = parse_time("2018-08-13T10:15:31");
    assert_eq!(time(r#""2018-08-13T10:15:31""#), Some(read));
    assert_eq!(time(r#""2018-08-13T10:15:31\u005a""#), Some(read));
    for number in ["1534155331", r#""1534155331""#, "1534155331000"] {
        assert_eq!(time(number), Some(read), "{number}");
    }
    for unreadable in ["null", "424242424", r#""""#, r#""soon""#, "[]"] {
        assert_eq!(time(unreadable), Some(None), "{unreadable}");
    }
}

#[test]
fn the_form_of_the_first_time_that_cannot_be_read_is_kept() {
    let form = |times: &[&str]| {
        let event = |time: &&str| format!(r#"{{"id":"a","created_at":{time}}}"#);
        let events: Vec<_> = times.iter().map(event).collect();
        let text = format!(
            r#"{{"_embedded":{{"events":[{}]}},"page":{{"totalElements":1}}}}"#,
            events.join(",")
        );
        let page = Page::parse(&text, Keep::Parsed).expect("a page");
        page.unread_time
    };
    let read = r#""2018-08-13T10:15:31""#;
    assert_eq!(form(&[read, "null", r#""""#]), None);
    let unread = form(&[read, r#""13/08/18""#, r#""soon""#]);
    assert_eq!(unread.as_deref(), Some("99/99/99"));
    assert_eq!(form(&["7"]).as_deref(), Some("9"));
}

#[test]
fn pages_as_a_whole() {
    let counts = |text: &str| {
        Page::parse(text, Keep::Parsed)
            .map(|page| (page.elements.len(), page.total_elements, page.total_pages))
    };
    let cases = [
        ("", Ok((0, Some(0), Some(0)))),
        (" \r\n", Ok((0, Some(0), Some(0)))),
        (
            r#"{"page": {"size": 100, "totalElements": 0, "totalPages": 0, "number": 1}}"#,
            Ok((0, Some(0), Some(0))),
        ),
        (
            r#"{"_embedded": {}, "page": {"totalElements": 0, "totalPages": 0, "page": 1}}"#,
            Ok((0, Some(0), Some(0))),
        ),
        (r#"{"_embedded": {"events": null}}"#, Ok((0, None, None))),
        (
            r#"{"_embedded": {"events": [{"id": "a"}]}}"#,
            Ok((1, None, None)),
        ),
        (
            r#"{"page": {"totalElements": "12", "totalPages": -1}}"#,
            Ok((0, Some(12), None)),
        ),
        (
            r#"{"page": {"totalElements": [], "totalPages": 1e300}}"#,
            Ok((0, None, None)),
        ),
        ("{}", Err(PageError::NotAPage)),
        ("[]", Err(PageError::NotAPage)),
        (r#"{"status": "ok"}"#, Err(PageError::NotAPage)),
        // Serde would accept an array as a page, by position.
        ("[{}, {}]", Err(PageError::NotAPage)),
        (
            r#" [{"events": [{"id": "a"}]}, {"totalElements": 1, "totalPages": 1}]"#,
            Err(PageError::NotAPage),
        ),
        ("[{}, {}", Err(PageError::NotJson { line: 1, column: 7 })),
        (r#"{"_embedded": {"events": {}}}"#, Err(PageError::NotAPage)),
        (
            "<!doctype html>",
            Err(PageError::NotJson { line: 1, column: 1 }),
        ),
        (
            r#"{"_embedded": {"events": [{"id": "a"}, {"i"#,
            Err(PageError::NotJson {
                line: 1,
                column: 42,
            }),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(counts(text), expected, "{text}");
    }
}

#[test]
fn links_say_what_is_a_page_and_whether_another_follows() {
    // The answer, and whether it has a link to a next page; `None` if it is no page.
    let cases = [
        (r#"{"_links": {"self": {}}}"#, Some(false)),
        (
            r#"{"_links": {"self": {}, "next": {"href": "/"}}}"#,
            Some(true),
        ),
        (r#"{"_links": {"next": {"href": "/"}}}"#, None),
        (r#"{"_links": {"self": {}}, "id": "a"}"#, None),
        (r#"{"_links": [{}, {}]}"#, None),
        (r#"{"_links": {"next": {}}, "page": {}}"#, Some(true)),
        (r#"{"_links": {"next": null}, "page": {}}"#, Some(false)),
        (r#"{"_links": "next", "page": {}}"#, Some(false)),
        (r#"{"page": {}, "id": "a"}"#, Some(false)),
        (
            r#"{"_embedded": {"events": []}, "page": {}, "_links": {"next": {}}}"#,
            Some(true),
        ),
        (
            r#"{"_embedded": {"events": []}, "page": {}, "_links": [{}, {}]}"#,
            Some(false),
        ),
    ];
    for (text, expected) in cases {
        for keep in [Keep::Parsed, Keep::Raw] {
            let has_next = Page::parse(text, keep).map(|page| page.has_next);
            assert_eq!(has_next, expected.ok_or(PageError::NotAPage), "{text}");
        }
    }
}

#[test]
fn the_json_of_an_element_is_kept_where_it_is_asked_for() {
    let raw = |text: &str, keep| Page::parse(text, keep).map(|page| page.raw.join("|"));
    let cases = [
        ("", Ok("")),
        (r#"{"_embedded": {}, "page": {}}"#, Ok("")),
        (
            r#"{"_embedded": {"events": [{"id": "a"}, 7 ,{ "no id" : [ ] }]}, "page": {}}"#,
            Ok(r#"{"id": "a"}|7|{ "no id" : [ ] }"#),
        ),
        ("{}", Err(PageError::NotAPage)),
        ("<html>", Err(PageError::NotJson { line: 1, column: 1 })),
    ];
    for (text, expected) in cases {
        assert_eq!(raw(text, Keep::Raw), expected.map(str::to_owned), "{text}");
        let none = expected.map(|_| String::new());
        assert_eq!(raw(text, Keep::Parsed), none, "{text}");
    }
}

#[test]
fn an_error_never_quotes_the_answer() {
    for text in [
        r#""ada@example.org""#,
        r#"{"_embedded": "ada@example.org"}"#,
        "ada@example.org",
    ] {
        let error = Page::parse(text, Keep::Parsed)
            .expect_err("no page")
            .to_string();
        assert!(!error.contains("ada"), "{error}");
    }
}

/// Values of a field, of the documented type and of others.
fn value() -> impl Strategy<Value = &'static str> {
    select(vec![
        r#""GB""#,
        r#""6f9619ff-8b86-4d01-b42d-00cf4fc964ff""#,
        r#""6F9619FF-8b86-4d01-b42d-00cf4fc964ff""#,
        r#""2026-11-20T10:15:31""#,
        r#""\u00e9\n\"""#,
        r#""\ud800""#,
        r#""""#,
        "null",
        "7",
        "[1, {}]",
        r#"{"id": "inner"}"#,
    ])
}

fn event() -> impl Strategy<Value = String> {
    let name = select(vec![
        "id",
        "event_type",
        "created_at",
        "source",
        "source_country",
        "context",
        "user_email",
        r"\u0069d",
    ]);
    let sane = r#"{"id":"a","event_type":"T","context":{"id":1},"source":"CD"}"#;
    prop_oneof![
        3 => Just(sane.to_owned()),
        3 => prop::collection::vec((name, value()), 0..7).prop_map(|fields| {
            let fields = fields.iter().map(|(name, value)| format!("\"{name}\":{value}"));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }),
        1 => value().prop_map(str::to_owned),
        1 => Just(r#"["a","T",null,"CD","GB"]"#.to_owned()),
    ]
}

proptest! {
    #[test]
    fn the_reading_of_plain_pages_says_what_the_lenient_one_says(
        events in prop::collection::vec(event(), 0..4),
        elements in select(vec!["3", "\"3\"", "-1", "null", "1e3", "[]"]),
    ) {
        let text = format!(
            r#"{{"_embedded": {{"events": [{}]}}, "page": {{"totalElements": {elements}}}}}"#,
            events.join(",")
        );
        is_as_lenient(&text);
        let lenient = Page::parse_lenient(&text, Keep::Parsed);
        prop_assert_eq!(Page::parse(&text, Keep::Parsed), lenient.clone());
        let mut raw = Page::parse(&text, Keep::Raw);
        if let Ok(page) = &mut raw {
            prop_assert_eq!(std::mem::take(&mut page.raw), events);
        }
        prop_assert_eq!(raw, lenient);
    }
}

#[test]
fn a_page_as_documented_is_read_in_one_pass() {
    let documented = include_str!("../../../tests/fixtures/list-as-documented.json");
    for keep in [Keep::Parsed, Keep::Raw] {
        assert!(plain::parse(documented, keep).is_some());
    }
    is_as_lenient(documented);
}

#[test]
fn names_in_any_order_are_read_whatever_the_events_before_have() {
    let events = [
        r#"{"id":"a","event_type":"A","source":"CD"}"#,
        r#"{"id":"b","event_type":"B","source":"CD"}"#,
        r#"{"id":"c","source":"DEVAPI"}"#,
        r#"{"source":"CD","id":"d","event_type":"D"}"#,
        r#"{"id" : "e", "event_type" :"E","source": "CD"}"#,
        r#"{"id" : "e2", "event_type" :"E","source" :"CD"}"#,
        r#"{"id" : "e3", "event_type" :"E","source" :"DEVAPI"}"#,
        r#"{"id":"f","id":"f2","event_type":"F","event_type":null}"#,
        r#"{"idea":"x","id":"g","event_type_description":"G","event_type":"G"}"#,
        "{}",
        r#"{"id":"h","event_type":"H","source":"CD"}"#,
    ];
    let many: Vec<_> = (0..100).map(|name| format!(r#""n{name}":0"#)).collect();
    let many = format!(r#"{{{},"id":"i","event_type":"I"}}"#, many.join(","));
    let without_empty = events.iter().filter(|event| **event != "{}");
    let all: Vec<_> = without_empty
        .copied()
        .chain([many.as_str(), events[0]])
        .collect();
    let text = page_of(&all.join(","));
    assert!(plain::parse(&text, Keep::Parsed).is_some());
    is_as_lenient(&text);
    is_as_lenient(&page_of(&events.join(",")));
}

/// Asserts that a page that can be read in one pass is read as the lenient parser reads it.
fn is_as_lenient(text: &str) {
    for keep in [Keep::Parsed, Keep::Raw] {
        if let Some(page) = plain::parse(text, keep) {
            assert_eq!(Ok(page), Page::parse_lenient(text, keep), "{text}");
        }
    }
}

#[test]
fn a_page_with_any_byte_wrong_is_read_as_the_lenient_parser_reads_it() {
    let page = r#" {"_embedded": {"events": [{"id": "a\/", "event_type": "é\u00e9",
        "created_at": "2018-08-13T10:15:31", "source": null, "account_id": "k",
        "context": {"n": [-10.5e+7, true, false, {}]}}, {"id": "b"}], "x": []},
        "page": {"totalElements": 21, "totalPages": null},
        "_links": {"self": {"href": "a"}, "next": {}}, "page2": 0} "#;
    let others = [
        "", " ", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "1", "-", ".", "e", "n", "s", "\n",
        "\0", "\u{1f}", "\u{7f}", "é", "_", "\\u00e9", "null", "\"a\",", "[[",
    ];
    assert!(
        plain::parse(page, Keep::Raw).is_none(),
        "an id has an escape"
    );
    let page = page.replace(r"a\/", "a").replace(r"é\u00e9", "é");
    assert!(plain::parse(&page, Keep::Raw).is_some());
    for (place, character) in page.char_indices() {
        let (before, rest) = page.split_at(place);
        let after = &rest[character.len_utf8()..];
        is_as_lenient(before);
        for other in others {
            is_as_lenient(&format!("{before}{other}{after}"));
            is_as_lenient(&format!("{before}{other}{rest}"));
        }
    }
}

#[test]
fn the_accounts_of_events_are_named_once_each_and_at_most_two() {
    let event = |account: &str| format!(r#"{{"id": "a", "account_id": {account}}}"#);
    let cases = [
        (vec![r#""one""#, r#""one""#], vec!["one"]),
        (vec!["null", r#""one""#], vec!["one"]),
        (
            vec![r#""one""#, r#""two""#, r#""three""#],
            vec!["one", "two"],
        ),
        (vec!["7", "null"], vec![]),
    ];
    for (accounts, expected) in cases {
        let events: Vec<_> = accounts.into_iter().map(event).collect();
        let events = events.join(",");
        let text = format!(
            r#"{{"_embedded": {{"events": [{events}]}}, "page": {{"totalElements": 3, "totalPages": 1}}}}"#
        );
        for keep in [Keep::Parsed, Keep::Raw] {
            let page = Page::parse(&text, keep).expect("a page");
            assert_eq!(page.account_ids, expected, "{text}");
        }
    }
}

#[test]
fn a_page_of_more_elements_than_any_page_has_is_refused() {
    for (element, is_plain) in [(r#"{"id":"a"}"#, true), ("{}", false)] {
        for (number, is_read) in [(MAX_ELEMENTS, true), (MAX_ELEMENTS + 1, false)] {
            let events = vec![element; number].join(",");
            let text = format!(r#"{{"_embedded":{{"events":[{events}]}},"page":{{}}}}"#);
            for keep in [Keep::Parsed, Keep::Raw] {
                let page = Page::parse(&text, keep).map(|page| page.elements.len());
                let expected = if is_read {
                    Ok(MAX_ELEMENTS)
                } else {
                    Err(PageError::TooManyElements)
                };
                assert_eq!(page, expected, "{element} {is_plain} {keep:?}");
            }
        }
    }
}
