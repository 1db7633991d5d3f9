//! Times as the API writes them.

use jiff::{Timestamp, civil::DateTime, tz::Offset};

/// The length of `2018-08-13`.
const DATE_LEN: usize = 10;

/// Reads a time as the API writes it: whole seconds without a time zone, which are taken
/// as UTC. A fraction of a second, `Z`, an offset, and a date alone (its midnight) are
/// also accepted. Returns `None` for any other text.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    // Parsing a civil time accepts an offset and ignores it.
    let zoned = text.get(DATE_LEN..)?.contains(['Z', 'z', '+', '-']);
    if zoned {
        return text.parse().ok();
    }
    Offset::UTC
        .to_timestamp(text.parse::<DateTime>().ok()?)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_was_seen_or_can_be_expected() {
        let cases = [
            ("2018-08-13T10:15:31", Some("2018-08-13T10:15:31Z")),
            ("2018-08-13 10:15:31", Some("2018-08-13T10:15:31Z")),
            ("2018-08-13T10:15:31Z", Some("2018-08-13T10:15:31Z")),
            ("2025-10-15T13:51:56.249Z", Some("2025-10-15T13:51:56.249Z")),
            ("2018-08-13T10:15:31.5", Some("2018-08-13T10:15:31.5Z")),
            ("2018-08-13T10:15:31+02:00", Some("2018-08-13T08:15:31Z")),
            ("2018-08-13T10:15:31+0200", Some("2018-08-13T08:15:31Z")),
            ("2018-08-13T10:15:31-05:00", Some("2018-08-13T15:15:31Z")),
            ("2018-08-13", Some("2018-08-13T00:00:00Z")),
            ("2016-12-31T23:59:60", Some("2016-12-31T23:59:59Z")),
            ("", None),
            ("yesterday", None),
            ("1534155331", None),
            ("2018-13-45T10:15:31", None),
            ("0000-00-00T00:00:00", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|text| text.parse::<Timestamp>().expect(text));
            assert_eq!(parse_time(text), expected, "{text:?}");
        }
    }
}
