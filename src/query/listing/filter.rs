//! The part of a filter that the API does not apply itself.

use std::borrow::Cow;

use audit_core::event::label_value;
use audit_core::raw_event::RawEvent;

/// The events that are shown; an empty list passes all. The values are those of the
/// labels of the metrics, with `unknown` among them, in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Values of `event_type`.
    pub(crate) types: Vec<String>,
    /// Values of `source`.
    pub(crate) sources: Vec<String>,
    /// Values of `source_country`.
    pub(crate) countries: Vec<String>,
    /// The user who caused the event.
    pub(crate) user: Option<UserFilter>,
}

/// A user: an id, or an e-mail address in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserFilter(pub String);

impl Filter {
    /// Returns `true` if the event passes the filter.
    pub(crate) fn passes(&self, event: &RawEvent<'_>) -> bool {
        let value = |name| label(event, name);
        among(&self.types, || value("event_type"))
            && among(&self.sources, || value("source"))
            && among(&self.countries, || value("source_country"))
            && self.user.as_ref().is_none_or(|user| user.matches(event))
    }
}

impl UserFilter {
    fn matches(&self, event: &RawEvent<'_>) -> bool {
        let is = |text: Cow<'_, str>| text.to_lowercase() == self.0.to_lowercase();
        event.text("user_id").is_some_and(is) || event.text("user_email").is_some_and(is)
    }
}

fn among<'a>(list: &[String], value: impl FnOnce() -> Cow<'a, str>) -> bool {
    if list.is_empty() {
        return true;
    }
    let value = value();
    list.iter().any(|item| item.eq_ignore_ascii_case(&value))
}

/// Returns the label value of a field. As in the metrics, a field that is not a string
/// is missing.
fn label<'a>(event: &RawEvent<'a>, name: &str) -> Cow<'a, str> {
    let is_string = event.raw(name).is_some_and(|json| json.starts_with('"'));
    label_value(event.text(name).filter(|_| is_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"event_type": "APP_CREATE", "source": "CD", "user_id": 42,
        "user_email": "Ada@example.org"}"#;

    fn passes(filter: &Filter) -> bool {
        filter.passes(&RawEvent::parse(EVENT))
    }

    #[test]
    fn each_field_by_itself_and_all_together() {
        let some = |value: &str| vec!["X".to_owned(), value.to_owned()];
        let filter = |of: &dyn Fn(&mut Filter)| {
            let mut filter = Filter::default();
            of(&mut filter);
            filter
        };
        let cases = [
            (filter(&|_| ()), true),
            (filter(&|f| f.types = some("APP_CREATE")), true),
            (filter(&|f| f.types = some("app_create")), true),
            (filter(&|f| f.types = some("APP")), false),
            (filter(&|f| f.sources = some("cd")), true),
            (filter(&|f| f.sources = some("DEVAPI")), false),
            (filter(&|f| f.countries = some("unknown")), true),
            (filter(&|f| f.countries = some("GB")), false),
            (
                filter(&|f| {
                    f.types = some("APP_CREATE");
                    f.sources = some("DEVAPI");
                }),
                false,
            ),
        ];
        for (filter, expected) in cases {
            assert_eq!(passes(&filter), expected, "{filter:?}");
        }
    }

    #[test]
    fn a_user_is_an_id_or_an_address() {
        let cases = [
            ("42", true),
            ("ada@example.org", true),
            ("ADA@EXAMPLE.ORG", true),
            ("4", false),
            ("ada", false),
        ];
        for (user, expected) in cases {
            let user = Some(UserFilter(user.to_owned()));
            let filter = Filter {
                user,
                ..Filter::default()
            };
            assert_eq!(passes(&filter), expected, "{filter:?}");
        }
        let nobody = RawEvent::parse("{}");
        assert!(!UserFilter("unknown".into()).matches(&nobody));
        let as_text = RawEvent::parse(r#"{"user_id": "42"}"#);
        assert!(UserFilter("42".into()).matches(&as_text));
    }
}
