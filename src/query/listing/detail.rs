//! All fields of one event, for a person to read.

use audit_core::raw_event::{self, RawEvent, indented};

use super::{Zone, fitted, printable, printable::width, table::MAX_WIDTH};

/// Returns every field of an event in the order of the API, one below the other. The
/// time is shown in `zone` as well.
pub(crate) fn detail(record: &RawEvent<'_>, zone: &Zone) -> String {
    let name = |name| fitted(&printable(name), MAX_WIDTH).into_owned();
    let names: Vec<_> = record.fields().map(|(field, _)| name(field)).collect();
    let margin = names.iter().map(|name| width(name)).max().unwrap_or(0) + 2;
    let mut text = String::new();
    for (name, (field, json)) in names.iter().zip(record.fields()) {
        text.push_str(name);
        text.extend(std::iter::repeat_n(' ', margin - width(name)));
        if json.starts_with(['{', '[']) {
            text.push_str(&indented(json, margin));
        } else {
            let said = raw_event::text(json);
            text.push_str(&said.as_deref().map_or("-".into(), printable));
        }
        if field == "created_at"
            && let Some(time) = record.created_at()
        {
            text.extend([" (", &zone.time(time, ' '), ")"]);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn all_of_it_is_there_and_harmless() {
        let json = r#"{"id": "a", "created_at": "2018-08-13T10:15:31", "user_email": null,
            "context": {"note": "\u001b[2J", "list": [1, 2]}, "_links": {},
            "new\u001bfield": "two\nlines"}"#;
        insta::assert_snapshot!(detail(&RawEvent::parse(json), &Zone::new(TimeZone::UTC)), @r#"
        id              a
        created_at      2018-08-13T10:15:31 (2018-08-13 10:15:31Z)
        user_email      -
        context         {
                          "note": "\u001b[2J",
                          "list": [
                            1,
                            2
                          ]
                        }
        _links          {}
        new\u{1b}field  two\nlines
        "#);
    }
}
