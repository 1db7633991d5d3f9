//! Events as the API wrote them, with all their fields.

mod json;

pub use json::{compact, indented, is_unprintable};

use std::{borrow::Cow, fmt};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::event::parse_time;

/// The highest number of fields of an event that are kept.
const MAX_FIELDS: usize = 1000;

/// One event as the API wrote it: the JSON of each field, in the order of the answer.
///
/// Fields that this program does not know are kept like all others, up to a bound on their
/// number.
#[derive(Debug, Default)]
pub struct RawEvent<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// The number of fields beyond the bound.
    left_out: u64,
}

impl<'a> RawEvent<'a> {
    /// Reads an element of a page, or the answer to `GET …/events/{id}`. A text that is
    /// not a JSON object gives an event without fields.
    #[must_use]
    pub fn parse(json: &'a str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// Returns the name and the JSON of every field.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &'a str)> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (&**name, value.get()))
    }

    /// Returns the number of fields that are not kept, since the event has too many.
    #[must_use]
    pub fn fields_left_out(&self) -> u64 {
        self.left_out
    }

    /// Returns the [`text`] of a field; `None` if the field is missing, null or an empty
    /// string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        text(self.raw(name)?)
    }

    /// Returns the JSON of a field; `None` if the field is missing or null. If a name
    /// occurs twice, the last field is taken.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        let mut fields = self.fields.iter().rev();
        let (_, value) = fields.find(|(known, _)| known == name)?;
        Some(value.get()).filter(|json| *json != "null")
    }

    /// Returns the time of creation; `None` if it is missing or unreadable.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        parse_time(&self.text("created_at")?)
    }
}

/// Returns the text of a JSON value: the content of a string, or the JSON of any other
/// value. Returns `None` for null and for an empty string.
#[must_use]
pub fn text(json: &str) -> Option<Cow<'_, str>> {
    let text = match json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        // Half a surrogate pair cannot be decoded. The string is returned as written.
        Some(plain) => Cow::Owned(serde_json::from_str(json).unwrap_or_else(|_| plain.to_owned())),
        None => Cow::Borrowed(json),
    };
    (!text.is_empty() && text != "null").then_some(text)
}

impl<'de: 'a, 'a> Deserialize<'de> for RawEvent<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawEventVisitor)
    }
}

struct RawEventVisitor;

impl<'de> Visitor<'de> for RawEventVisitor {
    type Value = RawEvent<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an audit event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(16);
        let mut left_out = 0;
        while let Some(name) = map.next_key::<FieldName<'de>>()? {
            if fields.len() < MAX_FIELDS {
                fields.push((name.0, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
                left_out += 1;
            }
        }
        Ok(RawEvent { fields, left_out })
    }
}

/// The name of a field, borrowed if it contains no escape.
#[derive(Deserialize)]
struct FieldName<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_a_text_or_none() {
        let json = r#"{"id": "a", "user_id": 7, "user_email": null, "source": "",
            "event_type": "q\"u", "odd": "\ud800", "context": {"a": [1]}, "id": "b"}"#;
        let event = RawEvent::parse(json);
        let cases = [
            ("id", Some("b")),
            ("user_id", Some("7")),
            ("user_email", None),
            ("source", None),
            ("event_type", Some("q\"u")),
            ("odd", Some("\\ud800")),
            ("context", Some("{\"a\": [1]}")),
            ("missing", None),
        ];
        for (name, expected) in cases {
            assert_eq!(event.text(name).as_deref(), expected, "{name}");
        }
        let names: Vec<_> = event.fields().map(|(name, _)| name).collect();
        assert_eq!(names.first(), Some(&"id"));
        assert_eq!(names.len(), 8);
    }

    #[test]
    fn a_field_is_kept_as_it_was_written() {
        let event = RawEvent::parse(r#"{"a": "q\"u", "b": null, "c" : [ 1 ], "c": 2.50}"#);
        let fields: Vec<_> = event.fields().collect();
        let expected = [
            ("a", r#""q\"u""#),
            ("b", "null"),
            ("c", "[ 1 ]"),
            ("c", "2.50"),
        ];
        assert_eq!(fields, expected);
        let raw = ["a", "b", "c", "d"].map(|name| event.raw(name));
        assert_eq!(raw, [Some(r#""q\"u""#), None, Some("2.50"), None]);
    }

    #[test]
    fn the_time_of_creation_is_read_like_that_of_a_page() {
        let cases = [
            (r#"{"created_at": "2018-08-13T10:15:31"}"#, true),
            (r#"{"created_at": "2018-08-13T10:15:31\u005a"}"#, true),
            (r#"{"created_at": "soon"}"#, false),
            (r#"{"created_at": 1534155331}"#, true),
            (r#"{"created_at": null}"#, false),
            ("{}", false),
        ];
        let expected = "2018-08-13T10:15:31Z".parse::<Timestamp>().expect("a time");
        for (json, is_read) in cases {
            let read = RawEvent::parse(json).created_at();
            assert_eq!(read, is_read.then_some(expected), "{json}");
        }
    }

    #[test]
    fn fields_beyond_a_bound_are_counted_and_not_kept() {
        for (number, left_out) in [(MAX_FIELDS, 0), (MAX_FIELDS + 3, 3)] {
            let fields: Vec<_> = (0..number)
                .map(|place| format!(r#""f{place}":0"#))
                .collect();
            let json = format!("{{{}}}", fields.join(","));
            let event = RawEvent::parse(&json);
            assert_eq!(event.fields().count(), MAX_FIELDS);
            assert_eq!(event.fields_left_out(), left_out);
        }
    }

    #[test]
    fn a_text_that_is_not_an_object_has_no_fields() {
        for json in ["7", "[]", "\"a\"", "null", ""] {
            assert_eq!(RawEvent::parse(json).fields().count(), 0, "{json}");
        }
    }
}
