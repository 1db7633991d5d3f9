//! The line of one event in the event log.

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

/// Returns the event as a JSON object on one line, which begins with the name of the
/// account if there is one. The time of creation is written with its time zone, which
/// the API leaves out.
pub(super) fn line(json: &str, content: Content, account: Option<&str>) -> String {
    let event = RawEvent::parse(json);
    let mut line = String::from("{");
    if let Some(account) = account {
        line.push_str("\"account\":");
        line.push_str(&serde_json::Value::from(account).to_string());
    }
    for (name, value) in event.fields() {
        let is_told = match content {
            Content::Everything => true,
            Content::Impersonal => is_impersonal(name, value, &event),
        };
        if !is_told {
            continue;
        }
        if line.len() > 1 {
            line.push(',');
        }
        line.push_str(&serde_json::Value::from(name).to_string());
        line.push(':');
        match event.created_at().filter(|_| name == "created_at") {
            Some(time) => line.extend(["\"", &time.to_string(), "\""]),
            None => line.push_str(&compact(value)),
        }
    }
    line.push('}');
    line
}

/// Returns `true` if the field is impersonal and its value has the documented type. A
/// value of another type could be anything, for example the number of a user.
fn is_impersonal(name: &str, value: &str, event: &RawEvent<'_>) -> bool {
    if !IMPERSONAL.contains(&name) {
        return false;
    }
    match name {
        "created_at" => value == "null" || event.created_at().is_some(),
        // An id may be a number.
        "id" => !value.starts_with(['{', '[']),
        _ => value == "null" || value.starts_with('"'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{
        "id": "a", "event_type": "APP_CREATE", "created_at": "2018-08-13T10:15:31",
        "user_email": "ada@example.org", "user_id": 42, "source": {"ip": "198.51.100.77"},
        "source_ip": "198.51.100.77", "source_country": null,
        "context": {"a": "line\n"}, "new field": [1]}"#;

    #[test]
    fn an_impersonal_line_has_no_personal_field() {
        let expected = r#"{"id":"a","event_type":"APP_CREATE","created_at":"2018-08-13T10:15:31Z","source_country":null}"#;
        assert_eq!(line(EVENT, Content::Impersonal, None), expected);
    }

    #[test]
    fn a_line_of_everything_has_every_field() {
        let expected = r#"{"id":"a","event_type":"APP_CREATE","created_at":"2018-08-13T10:15:31Z","user_email":"ada@example.org","user_id":42,"source":{"ip":"198.51.100.77"},"source_ip":"198.51.100.77","source_country":null,"context":{"a":"line\n"},"new field":[1]}"#;
        assert_eq!(line(EVENT, Content::Everything, None), expected);
    }

    #[test]
    fn a_line_names_its_account() {
        let json = r#"{"id": "a"}"#;
        let expected = r#"{"account":"a \"b\"","id":"a"}"#;
        assert_eq!(line(json, Content::Impersonal, Some("a \"b\"")), expected);
    }

    #[test]
    fn a_time_that_cannot_be_read_stays_as_it_is_or_is_left_out() {
        let json = r#"{"created_at": "ada@example.org"}"#;
        let all = r#"{"created_at":"ada@example.org"}"#;
        assert_eq!(line(json, Content::Everything, None), all);
        assert_eq!(line(json, Content::Impersonal, None), "{}");
    }

    #[test]
    fn a_value_of_the_wrong_type_may_be_personal() {
        let json = r#"{"id": 7, "created_at": null, "event_type": 424242424,
            "source": true, "source_country": 424242424, "account_id": null}"#;
        let expected = r#"{"id":7,"created_at":null,"account_id":null}"#;
        assert_eq!(line(json, Content::Impersonal, None), expected);
    }
}
