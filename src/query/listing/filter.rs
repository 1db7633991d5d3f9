//! The filter of events, and why it lets none pass.

use std::{borrow::Cow, collections::BTreeSet};

use audit_core::{event::label_value, raw_event::RawEvent};

use super::printable;

/// The number of values of one field that are remembered and told.
const VALUES: usize = 20;

/// The events that are shown; an empty list passes all. The values are those of the
/// labels of the metrics, with `unknown` among them, in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Values of `event_type`. The API applies this filter as well.
    pub(crate) types: Vec<String>,
    /// The text that the API looks for. It alone applies this filter.
    pub(crate) search: Option<String>,
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

/// The facts about the events that a filter was asked about, for the case that none passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// `true` once there was an event.
    is_any: bool,
    sources: SeenValues,
    countries: SeenValues,
    user: bool,
}

/// The values of a field, remembered while a filter looks for some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct SeenValues {
    is_found: bool,
    values: BTreeSet<String>,
}

impl Filter {
    /// Returns `true` if the event passes the filter, and remembers what kept it.
    pub(crate) fn passes(&self, event: &RawEvent<'_>, seen: &mut Seen) -> bool {
        seen.is_any = true;
        let value = |name| label(event, name);
        let is_of_type = self.types.is_empty() || among(&self.types, &value("event_type"));
        let from_source = seen.sources.look(&self.sources, || value("source"));
        let from_country = seen
            .countries
            .look(&self.countries, || value("source_country"));
        let is_by_user = self.user.as_ref().is_none_or(|user| user.matches(event));
        seen.user |= is_by_user;
        is_of_type && from_source && from_country && is_by_user
    }

    /// Returns why no event passes, as far as `seen` tells, for the person who wrote the
    /// filter.
    pub(crate) fn explain_nothing(&self, seen: &Seen) -> String {
        let mut why = "no event matches".to_owned();
        if !seen.is_any {
            why.push_str(match (self.types.is_empty(), &self.search) {
                (true, None) => ": the range has no event",
                (false, None) => ": the range has no event of this type",
                (_, Some(_)) => ": the API finds no event in the range, with this --search",
            });
            return why;
        }
        let before = why.len();
        why.push_str(&seen.sources.explain("--source", &self.sources));
        let countries = seen.countries.explain("--country", &self.countries);
        if !countries.is_empty() {
            why.push_str(&countries);
            why.push_str("; they are codes of ISO 3166, as GB is for the United Kingdom");
        }
        if !seen.user {
            why.push_str("; the range has none of this --user");
        }
        if why.len() == before {
            why.push_str("; some match each filter, and none matches all");
        }
        why
    }
}

impl SeenValues {
    /// Returns `true` if the value is among those of the list, or if the list is empty.
    fn look<'a>(&mut self, list: &[String], value: impl FnOnce() -> Cow<'a, str>) -> bool {
        if list.is_empty() {
            return true;
        }
        let value = value();
        if among(list, &value) {
            self.is_found = true;
            return true;
        }
        // A set that is full holds enough to tell.
        if self.values.len() <= VALUES && !self.values.contains(&*value) {
            self.values.insert(value.into_owned());
        }
        false
    }

    /// Returns which values there are in place of those of the list; nothing if one of the
    /// list was there.
    fn explain(&self, flag: &str, list: &[String]) -> String {
        if list.is_empty() || self.is_found {
            return String::new();
        }
        let wanted = list.iter().map(|value| printable(value));
        let wanted = wanted.collect::<Vec<_>>().join(",");
        let values = self
            .values
            .iter()
            .take(VALUES)
            .map(|value| printable(value));
        let values = values.collect::<Vec<_>>().join(", ");
        let more = if self.values.len() > VALUES {
            ", …"
        } else {
            ""
        };
        format!("; none has {flag}={wanted}, and there are: {values}{more}")
    }
}

impl UserFilter {
    fn matches(&self, event: &RawEvent<'_>) -> bool {
        let is = |text: Cow<'_, str>| text.to_lowercase() == self.0.to_lowercase();
        event.text("user_id").is_some_and(is) || event.text("user_email").is_some_and(is)
    }
}

fn among(list: &[String], value: &str) -> bool {
    list.iter().any(|item| item.eq_ignore_ascii_case(value))
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
        filter.passes(&RawEvent::parse(EVENT), &mut Seen::default())
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

    #[test]
    fn what_keeps_every_event_is_told() {
        let list = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<_>>();
        let user = |user: &str| Some(UserFilter(user.to_owned()));
        let source = |values: &[&str]| Filter {
            sources: list(values),
            ..Filter::default()
        };
        let country = |values: &[&str]| Filter {
            countries: list(values),
            ..Filter::default()
        };
        let cases = [
            (
                source(&["api", "x\n"]),
                "; none has --source=api,x\\n, and there are: CD, DEVAPI",
            ),
            (
                country(&["UK"]),
                "; none has --country=UK, and there are: GB, unknown; they are codes of ISO 3166, as GB is for the United Kingdom",
            ),
            (
                Filter {
                    user: user("bob"),
                    ..source(&["CD"])
                },
                "; the range has none of this --user",
            ),
            (
                Filter {
                    user: user("42"),
                    ..source(&["DEVAPI"])
                },
                "; some match each filter, and none matches all",
            ),
        ];
        let events = [EVENT, r#"{"source": "DEVAPI", "source_country": "GB"}"#];
        for (filter, why) in cases {
            let mut seen = Seen::default();
            for event in events {
                assert!(!filter.passes(&RawEvent::parse(event), &mut seen));
            }
            assert_eq!(
                filter.explain_nothing(&seen),
                format!("no event matches{why}")
            );
        }
    }

    #[test]
    fn of_many_values_some_are_told() {
        let filter = Filter {
            sources: vec!["none".into()],
            ..Filter::default()
        };
        let mut seen = Seen::default();
        for number in 100..200 {
            let event = format!(r#"{{"source": "{number}"}}"#);
            filter.passes(&RawEvent::parse(&event), &mut seen);
        }
        let why = filter.explain_nothing(&seen);
        assert!(why.ends_with("118, 119, …"), "{why}");
    }
}
