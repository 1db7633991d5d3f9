//! One counted event as a line of JSON.

use super::Content;
use crate::raw_event::{RawEvent, compact};

/// What a line tells of an event where it is to tell nothing of a person. A field
/// that this program does not know may be about one.
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

/// The event as a JSON object on one line, which begins with the account where that
/// has a name. A time that can be read bears its zone, which the API leaves out.
pub(super) fn line(json: &str, content: Content, account: Option<&str>) -> String {
    let record = RawEvent::parse(json);
    let mut line = String::from("{");
    if let Some(account) = account {
        line.push_str("\"account\":");
        line.push_str(&serde_json::Value::from(account).to_string());
    }
    for (name, value) in record.fields() {
        let is_told = match content {
            Content::Everything => true,
            Content::Impersonal => is_impersonal(name, value, &record),
        };
        if !is_told {
            continue;
        }
        if line.len() > 1 {
            line.push(',');
        }
        line.push_str(&serde_json::Value::from(name).to_string());
        line.push(':');
        match record.created_at().filter(|_| name == "created_at") {
            Some(time) => line.extend(["\"", &time.to_string(), "\""]),
            None => line.push_str(&compact(value)),
        }
    }
    line.push('}');
    line
}

/// Whether the field is what the API documents it to be: in the place of another
/// kind of value anything could be, the number of a user, say.
fn is_impersonal(name: &str, value: &str, record: &RawEvent<'_>) -> bool {
    if !IMPERSONAL.contains(&name) {
        return false;
    }
    match name {
        "created_at" => value == "null" || record.created_at().is_some(),
        // An event may be known by a number.
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
    fn a_line_tells_of_nobody() {
        let expected = r#"{"id":"a","event_type":"APP_CREATE","created_at":"2018-08-13T10:15:31Z","source_country":null}"#;
        assert_eq!(line(EVENT, Content::Impersonal, None), expected);
    }

    #[test]
    fn a_line_tells_everything_where_it_may() {
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
    fn a_value_of_the_wrong_kind_may_be_personal() {
        let json = r#"{"id": 7, "created_at": null, "event_type": 424242424,
            "source": true, "source_country": 424242424, "account_id": null}"#;
        let expected = r#"{"id":7,"created_at":null,"account_id":null}"#;
        assert_eq!(line(json, Content::Impersonal, None), expected);
    }
}
