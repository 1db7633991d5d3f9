//! One event, all of it, as the API wrote it.

mod json;

pub use json::{compact, indented, is_unprintable};

use std::{borrow::Cow, fmt};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::event::parse_time;

/// One event: its fields in the order of the answer, each still as it was written,
/// so that nothing is lost of one that no version of this program knows.
#[derive(Debug, Default)]
pub struct RawEvent<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> RawEvent<'a> {
    /// Reads an element of the list, or the answer to `GET …/events/{id}`. What is no
    /// JSON object has no fields.
    #[must_use]
    pub fn parse(json: &'a str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// Every field.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &'a str)> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (&**name, value.get()))
    }

    /// What a field says, without the quotes of a string; `None` where it is missing,
    /// null or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        text(self.raw(name)?)
    }

    /// The JSON of a field; `None` where it is missing or null. A name that comes
    /// twice: the last wins.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        let mut fields = self.fields.iter().rev();
        let (_, value) = fields.find(|(known, _)| known == name)?;
        Some(value.get()).filter(|json| *json != "null")
    }

    /// When it happened; `None` where that cannot be read.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        parse_time(&self.text("created_at")?)
    }
}

/// What a JSON value says, without the quotes of a string; `None` where that is
/// nothing.
#[must_use]
pub fn text(json: &str) -> Option<Cow<'_, str>> {
    let said = match json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        // Half of a surrogate pair is no text: it is shown as it was written.
        Some(plain) => Cow::Owned(serde_json::from_str(json).unwrap_or_else(|_| plain.to_owned())),
        None => Cow::Borrowed(json),
    };
    (!said.is_empty() && said != "null").then_some(said)
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
        while let Some(name) = map.next_key::<FieldName<'de>>()? {
            fields.push((name.0, map.next_value()?));
        }
        Ok(RawEvent { fields })
    }
}

/// A name, borrowed where it bears no escape.
#[derive(Deserialize)]
struct FieldName<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_says_what_it_says() {
        let json = r#"{"id": "a", "user_id": 7, "user_email": null, "source": "",
            "event_type": "q\"u", "odd": "\ud800", "context": {"a": [1]}, "id": "b"}"#;
        let record = RawEvent::parse(json);
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
            assert_eq!(record.text(name).as_deref(), expected, "{name}");
        }
        let names: Vec<_> = record.fields().map(|(name, _)| name).collect();
        assert_eq!(names.first(), Some(&"id"));
        assert_eq!(names.len(), 8);
    }

    #[test]
    fn what_is_no_event_has_no_fields() {
        for json in ["7", "[]", "\"a\"", "null", ""] {
            assert_eq!(RawEvent::parse(json).fields().count(), 0, "{json}");
        }
    }
}
