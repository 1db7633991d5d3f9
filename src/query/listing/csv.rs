//! Events as comma-separated values (RFC 4180), one line each: a character that
//! would break a line is written as an escape.

use audit_core::raw_event::{RawEvent, compact};

use super::{Zone, printable};

/// The columns, but for the time, which comes first.
const COLUMNS: [&str; 11] = [
    "event_type",
    "source",
    "source_country",
    "user_email",
    "user_id",
    "source_ip",
    "id",
    "account_id",
    "event_type_description",
    "source_description",
    "context",
];

/// The names of the columns.
#[must_use]
pub fn csv_header() -> String {
    format!("created_at,{}", COLUMNS.join(","))
}

/// One event; the time with its offset, in `zone`.
#[must_use]
pub fn csv_line(record: &RawEvent<'_>, zone: &Zone) -> String {
    let mut line = String::new();
    push(&mut line, &zone.time_of(record, 'T'));
    for column in COLUMNS {
        line.push(',');
        let json = record.raw(column).filter(|json| is_nested(json));
        if let Some(json) = json {
            push(&mut line, &compact(json));
        } else if let Some(text) = record.text(column) {
            push(&mut line, &printable(&text));
        }
    }
    line
}

/// One line of other values, without its end.
#[must_use]
pub fn csv_row<const N: usize>(values: [&str; N]) -> String {
    let mut line = String::new();
    for (place, value) in values.into_iter().enumerate() {
        if place > 0 {
            line.push(',');
        }
        push(&mut line, &printable(value));
    }
    line
}

fn is_nested(json: &str) -> bool {
    json.starts_with(['{', '['])
}

fn push(line: &mut String, value: &str) {
    if value.contains(['"', ',']) {
        line.push('"');
        line.push_str(&value.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_ends_its_field_or_its_line() {
        let json = r#"{"created_at": "2018-08-13T10:15:31", "event_type": "A,\"B\"\n\u001b",
            "user_id": 7, "context": {"a": [1, "x"]}, "source_country": null}"#;
        assert_eq!(
            csv_line(&RawEvent::parse(json), &Zone::utc()),
            r#"2018-08-13T10:15:31Z,"A,""B""\n\u{1b}",,,,7,,,,,,"{""a"":[1,""x""]}""#
        );
        assert_eq!(
            csv_line(&RawEvent::parse("7"), &Zone::utc()),
            ",".repeat(11)
        );
        assert_eq!(csv_header().split(',').count(), 12);
    }
}
