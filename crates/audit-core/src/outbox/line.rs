//! The line of one event in the event log.

use std::{cmp::Reverse, collections::BTreeSet};

use super::Content;
use crate::raw_event::{RawEvent, compact};

/// The fields of [`Content::Impersonal`]. A field that this program does not know may be
/// personal.
const IMPERSONAL: [&str; 8] = [
    "id",
    "event_type",
    "event_type_description",
    "created_at",
    "account_id",
    "source",
    "source_description",
    "source_country",
];

/// The greatest length of a line, in bytes.
pub(super) const MAX_LINE_BYTES: usize = 64 * 1024;

/// The line of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EventLine {
    pub(super) text: String,
    /// `true` if parts of the event are left out because the line would be too long.
    pub(super) is_cut: bool,
}

/// A field of a line, as JSON.
struct Field {
    name: String,
    value: String,
    /// The size of the value as the API wrote it, in bytes.
    written: usize,
}

/// Returns the event as a JSON object on one line, which begins with the name of the
/// account if there is one. The time of creation is written with its time zone, which
/// the API leaves out. Of a line that would be longer than [`MAX_LINE_BYTES`], the largest
/// values are left out, and a mark in their place says how large they are.
pub(super) fn line(json: &str, content: Content, account: Option<&str>) -> EventLine {
    let event = RawEvent::parse(json);
    let created_at = event.created_at().map(|time| time.to_string());
    let told = event.fields().filter(|(name, value)| match content {
        Content::Everything => true,
        Content::Impersonal => is_impersonal(name, value, created_at.is_some()),
    });
    let mut fields: Vec<Field> = told
        .map(|(name, value)| match &created_at {
            Some(time) if name == "created_at" => Field::new(name, &quoted(time)),
            _ => Field::new(name, value),
        })
        .collect();
    if let Some(account) = account {
        fields.insert(0, Field::new("account", &quoted(account)));
    }
    let mut is_cut = fields.iter().any(Field::is_left_out);
    let mut fields_left_out = event.fields_left_out();
    if size(&fields) > MAX_LINE_BYTES {
        is_cut = true;
        fields_left_out += shorten(&mut fields);
    }
    if fields_left_out > 0 {
        is_cut = true;
        fields.push(Field::new("left_out_fields", &fields_left_out.to_string()));
    }
    let text = fields
        .iter()
        .map(|field| [&*field.name, ":", &*field.value].concat());
    let text = text.collect::<Vec<_>>().join(",");
    EventLine {
        text: ["{", &text, "}"].concat(),
        is_cut,
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Leaves out the largest values, and then whole fields, until the line is short enough.
/// Returns the number of fields that are left out.
fn shorten(fields: &mut Vec<Field>) -> u64 {
    let mut by_size: Vec<usize> = (0..fields.len()).collect();
    by_size.sort_by_key(|place| Reverse(fields[*place].size()));
    let mut size = size(fields);
    for place in &by_size {
        if size <= MAX_LINE_BYTES {
            return 0;
        }
        size -= fields[*place].leave_out();
    }
    let mut left_out = BTreeSet::new();
    for place in by_size {
        if size <= MAX_LINE_BYTES {
            break;
        }
        size -= fields[place].size();
        left_out.insert(place);
    }
    let mut place = 0..;
    fields.retain(|_| !place.next().is_some_and(|place| left_out.contains(&place)));
    left_out.len() as u64
}

/// Returns the length of a line with these fields, with room for one more number.
fn size(fields: &[Field]) -> usize {
    const BESIDE: usize = 64;
    BESIDE + fields.iter().map(Field::size).sum::<usize>()
}

impl Field {
    fn new(name: &str, value: &str) -> Self {
        let mut field = Self {
            name: quoted(name),
            value: String::new(),
            written: value.len(),
        };
        field.value = if value.len() > MAX_LINE_BYTES {
            mark_of(value, value.len())
        } else {
            compact(value)
        };
        field
    }

    /// Returns `true` if a mark is in the place of the value because of its size alone.
    fn is_left_out(&self) -> bool {
        self.written > MAX_LINE_BYTES
    }

    /// Returns the number of bytes that the field takes of the line.
    fn size(&self) -> usize {
        self.name.len() + self.value.len() + 2
    }

    /// Puts a mark in the place of the value if that is shorter. Returns the number of bytes
    /// that the line is shorter by.
    fn leave_out(&mut self) -> usize {
        let before = self.value.len();
        if !self.is_left_out() {
            let mark = mark_of(&self.value, self.written);
            if mark.len() < before {
                self.value = mark;
            }
        }
        before - self.value.len()
    }
}

/// Returns the JSON that stands in the place of a value: an object for an object, so that
/// a database that has a type for each field takes the line, and a string otherwise.
fn mark_of(value: &str, bytes: usize) -> String {
    if value.starts_with('{') {
        format!(r#"{{"left_out_bytes":{bytes}}}"#)
    } else {
        format!(r#""{bytes} bytes left out""#)
    }
}

/// Returns `true` if the field is impersonal and its value has the documented type. A
/// value of another type could be anything, for example the number of a user.
fn is_impersonal(name: &str, value: &str, has_time: bool) -> bool {
    if !IMPERSONAL.contains(&name) {
        return false;
    }
    match name {
        "created_at" => value == "null" || has_time,
        // An id may be a number.
        "id" => !value.starts_with(['{', '[']),
        _ => value == "null" || value.starts_with('"'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the line of an event of usual size.
    fn text(json: &str, content: Content, account: Option<&str>) -> String {
        let line = line(json, content, account);
        assert!(!line.is_cut, "{json}");
        line.text
    }

    const EVENT: &str = r#"{
        "id": "a", "event_type": "APP_CREATE", "created_at": "2018-08-13T10:15:31",
        "user_email": "ada@example.org", "user_id": 42, "source": {"ip": "198.51.100.77"},
        "source_ip": "198.51.100.77", "source_country": null,
        "context": {"a": "line\n"}, "new field": [1]}"#;

    #[test]
    fn an_impersonal_line_has_no_personal_field() {
        let expected = r#"{"id":"a","event_type":"APP_CREATE","created_at":"2018-08-13T10:15:31Z","source_country":null}"#;
        assert_eq!(text(EVENT, Content::Impersonal, None), expected);
    }

    #[test]
    fn a_line_of_everything_has_every_field() {
        let expected = r#"{"id":"a","event_type":"APP_CREATE","created_at":"2018-08-13T10:15:31Z","user_email":"ada@example.org","user_id":42,"source":{"ip":"198.51.100.77"},"source_ip":"198.51.100.77","source_country":null,"context":{"a":"line\n"},"new field":[1]}"#;
        assert_eq!(text(EVENT, Content::Everything, None), expected);
    }

    #[test]
    fn a_line_names_its_account() {
        let json = r#"{"id": "a"}"#;
        let expected = r#"{"account":"a \"b\"","id":"a"}"#;
        assert_eq!(text(json, Content::Impersonal, Some("a \"b\"")), expected);
    }

    #[test]
    fn a_time_that_cannot_be_read_stays_as_it_is_or_is_left_out() {
        let json = r#"{"created_at": "ada@example.org"}"#;
        let all = r#"{"created_at":"ada@example.org"}"#;
        assert_eq!(text(json, Content::Everything, None), all);
        assert_eq!(text(json, Content::Impersonal, None), "{}");
    }

    #[test]
    fn a_value_of_the_wrong_type_may_be_personal() {
        let json = r#"{"id": 7, "created_at": null, "event_type": 424242424,
            "source": true, "source_country": 424242424, "account_id": null}"#;
        let expected = r#"{"id":7,"created_at":null,"account_id":null}"#;
        assert_eq!(text(json, Content::Impersonal, None), expected);
    }

    /// Returns the line of a long event, as JSON.
    fn cut(json: &str) -> serde_json::Value {
        let line = line(json, Content::Everything, Some("a"));
        assert!(line.is_cut);
        assert!(line.text.len() <= MAX_LINE_BYTES, "{}", line.text.len());
        serde_json::from_str(&line.text).expect("JSON")
    }

    #[test]
    fn of_a_long_line_the_largest_values_are_left_out() {
        let (x, y) = ("x".repeat(40_000), "y".repeat(30_000));
        let json =
            format!(r#"{{"id": "a", "context": {{"x": "{x}"}}, "more": "{y}", "user_id": 7}}"#);
        let expected = format!(
            r#"{{"account":"a","id":"a","context":{{"left_out_bytes":40009}},"more":"{y}","user_id":7}}"#
        );
        assert_eq!(cut(&json).to_string().len(), expected.len());
        assert_eq!(line(&json, Content::Everything, Some("a")).text, expected);
        let small = format!(r#"{{"context": {{"x": "{x}"}}}}"#);
        assert_eq!(
            text(&small, Content::Everything, None).len(),
            small.len() - 2
        );
    }

    #[test]
    fn a_value_that_is_longer_than_a_line_is_left_out_whatever_it_is() {
        let long = "1".repeat(MAX_LINE_BYTES);
        let cases = [
            (format!(r#""{long}""#), r#""65538 bytes left out""#),
            (long.clone(), r#""65537 bytes left out""#),
            (format!("[{long}]"), r#""65538 bytes left out""#),
            (format!(r#"{{"a":{long}}}"#), r#"{"left_out_bytes":65542}"#),
        ];
        for (value, mark) in cases {
            let value = value.replacen('1', "11", usize::from(value.len() == MAX_LINE_BYTES));
            let shown = cut(&format!(r#"{{"id": "a", "context": {value}}}"#));
            assert_eq!(shown["context"].to_string(), mark);
            assert_eq!(shown["id"], "a");
        }
    }

    #[test]
    fn of_a_line_with_many_fields_fields_are_left_out() {
        let many = (0..1500).map(|place| format!(r#""field {place}": "{}""#, "x".repeat(100)));
        let shown = cut(&format!(
            r#"{{"id": "a", {}}}"#,
            many.collect::<Vec<_>>().join(",")
        ));
        assert_eq!(shown["id"], "a");
        assert_eq!(shown["field 100"], "102 bytes left out");
        assert_eq!(shown["field 998"], "x".repeat(100));
        assert_eq!(shown["left_out_fields"], 501);
        let names = (0..20).map(|place| format!(r#""{place}{}": 1"#, "n".repeat(5000)));
        let shown = cut(&format!(
            r#"{{"id": "a", {}}}"#,
            names.collect::<Vec<_>>().join(",")
        ));
        assert_eq!(shown["id"], "a");
        assert!(
            shown["left_out_fields"].as_u64() > Some(5),
            "{}",
            shown["left_out_fields"]
        );
    }

    #[test]
    fn what_an_impersonal_line_leaves_out_anyway_does_not_cut_it() {
        let json = format!(
            r#"{{"id": "a", "context": "{}"}}"#,
            "x".repeat(MAX_LINE_BYTES)
        );
        assert_eq!(text(&json, Content::Impersonal, None), r#"{"id":"a"}"#);
    }
}
