//! The list of event types that the API gives.

use std::borrow::Cow;

use serde::Deserialize;

use super::label_value;

/// An event type that the API documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// The value of the label `event_type`.
    pub name: String,
    /// The description that the API gives; may be empty.
    pub description: String,
}

/// The error for an answer that is not a list of event types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not a list of event types (`eventTypes` was expected)")]
pub struct TypesError;

#[derive(Deserialize)]
struct TypesAnswer<'a> {
    #[serde(borrow, rename = "eventTypes")]
    event_types: Vec<NamedType<'a>>,
}

#[derive(Deserialize)]
struct NamedType<'a> {
    #[serde(borrow, rename = "type", default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
}

/// Reads the answer to `OPTIONS …/events`. An empty body is an empty list, since the API
/// documents status 204. Each name becomes a label value, as by [`label_value`].
///
/// # Errors
/// [`TypesError`] if the body is not a list of event types.
pub fn parse_types(body: &[u8]) -> Result<Vec<EventType>, TypesError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(body);
    // Serde would also accept an array, and read the fields by position.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(TypesError);
    }
    let answer: TypesAnswer = serde_json::from_str(&text).map_err(|_| TypesError)?;
    let named = |named: NamedType| {
        let name = named.name.filter(|name| !name.is_empty())?;
        Some(EventType {
            name: label_value(Some(name)).into_owned(),
            description: named.description.unwrap_or_default().into_owned(),
        })
    };
    Ok(answer.event_types.into_iter().filter_map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(body: &str) -> Result<Vec<String>, TypesError> {
        parse_types(body.as_bytes()).map(|types| types.into_iter().map(|t| t.name).collect())
    }

    #[test]
    fn the_documented_answer() {
        let types = parse_types(
            br#"{"eventTypes": [{"type": "USER_STATUS", "description": "User status updated"}]}"#,
        );
        let expected = EventType {
            name: "USER_STATUS".into(),
            description: "User status updated".into(),
        };
        assert_eq!(types, Ok(vec![expected]));
    }

    #[test]
    fn others() {
        let cases: [(&str, Result<&[&str], TypesError>); 8] = [
            ("", Ok(&[])),
            ("\n", Ok(&[])),
            (r#"{"eventTypes": []}"#, Ok(&[])),
            (
                r#"{"eventTypes": [{"type": "A"}, {"type": ""}, {}]}"#,
                Ok(&["A"]),
            ),
            ("<html></html>", Err(TypesError)),
            ("{}", Err(TypesError)),
            (r#"["A"]"#, Err(TypesError)),
            (r#"[[{"type": "A"}]]"#, Err(TypesError)),
        ];
        for (body, expected) in cases {
            let expected = expected.map(|names| names.iter().map(ToString::to_string).collect());
            assert_eq!(names(body), expected, "{body}");
        }
    }
}
