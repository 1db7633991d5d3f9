//! The list of event types that the API gives.

use std::borrow::Cow;

use serde::Deserialize;

use super::label_value;

/// The event types that the documents and clients of the vendor name. The list that the API
/// gives leaves some of them out, and may have others.
pub const KNOWN_TYPES: [&str; 29] = [
    "ACCOUNT_SECRET_CREATE",
    "ACCOUNT_SECRET_DELETE",
    "ACCOUNT_UPDATE_SETTINGS",
    "ACCOUNT_UPDATE_SETTINGS_API",
    "ACCOUNT_UPDATE_SPAMMER",
    "APP_CREATE",
    "APP_DELETE",
    "APP_DISABLE",
    "APP_ENABLE",
    "APP_UPDATE",
    "AUTORELOAD_DISABLE",
    "AUTORELOAD_ENABLE",
    "AUTORELOAD_UPDATE",
    "IP_WHITELIST_CREATE",
    "IP_WHITELIST_DELETE",
    "NUMBER_ASSIGN",
    "NUMBER_LINKED",
    "NUMBER_RELEASE",
    "NUMBER_UNLINKED",
    "NUMBER_UPDATED",
    "NUMBER_USER_CANCELED",
    "USER_API_KEYS_UPDATE",
    "USER_BILLING_UPDATE",
    "USER_CREATE",
    "USER_LOGIN",
    "USER_LOGOUT",
    "USER_PRODUCT_SEARCH",
    "USER_STATUS",
    "USER_UPDATE",
];

/// Returns the names of the types that the API has `named`, and after them the other
/// [`KNOWN_TYPES`]. The counter of each of them begins at 0 before its first event.
pub fn types_from_zero(named: &[EventType]) -> impl Iterator<Item = &str> {
    let named_first = named.iter().map(|known| known.name.as_str());
    let is_named = |name: &str| named.iter().any(|known| known.name == name);
    let others = KNOWN_TYPES.into_iter().filter(move |name| !is_named(name));
    named_first.chain(others)
}

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
    fn every_type_that_is_named_or_known_begins_at_0_once() {
        let named =
            parse_types(br#"{"eventTypes": [{"type": "NEW_TYPE"}, {"type": "USER_STATUS"}]}"#);
        let named = named.expect("types");
        let all: Vec<_> = types_from_zero(&named).collect();
        assert_eq!(all[..2], ["NEW_TYPE", "USER_STATUS"]);
        assert_eq!(all.len(), KNOWN_TYPES.len() + 1);
        let different: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!(different.len(), KNOWN_TYPES.len() + 1);
        assert!(types_from_zero(&[]).eq(KNOWN_TYPES));
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
