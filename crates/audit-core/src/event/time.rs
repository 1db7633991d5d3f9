//! Times as the API writes them.

use std::ops::Range;

use jiff::{Timestamp, civil::DateTime, fmt::rfc2822, tz::Offset};

/// The length of `2018-08-13`.
const DATE_LEN: usize = 10;

/// The seconds since the Unix epoch that are read as a time: the years 2000 to 2099. Another
/// number may be anything.
const EPOCH_SECONDS: Range<i64> = 946_684_800..4_102_444_800;
/// The largest number of characters of a form.
const FORM_MAX_CHARS: usize = 40;

/// Reads a time as the API writes it: whole seconds without a time zone, which are taken
/// as UTC. Forms that other APIs have changed to are also accepted: a fraction of a second,
/// `Z`, an offset, a trailing ` UTC`, a date alone (its midnight), seconds or milliseconds
/// since the Unix epoch, and RFC 1123. Returns `None` for any other text.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    parse_documented(text)
        .or_else(|| parse_iso(text))
        .or_else(|| parse_other(text.trim_ascii()))
}

/// Reads the form that is documented, `2018-08-13T10:15:31`. The parser of all forms takes ten
/// times as long for it.
fn parse_documented(text: &str) -> Option<Timestamp> {
    const SEPARATORS: [(usize, u8); 5] = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let text: &[u8; 19] = text.as_bytes().try_into().ok()?;
    let is_separated = |(place, separator): (usize, u8)| text[place] == separator;
    SEPARATORS.into_iter().all(is_separated).then_some(())?;
    let two = |place: usize| {
        let [tens, ones] = [text[place], text[place + 1]].map(|digit| digit.wrapping_sub(b'0'));
        let value = tens.wrapping_mul(10).wrapping_add(ones);
        (tens < 10 && ones < 10).then_some(value.cast_signed())
    };
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let time = DateTime::new(year, two(5)?, two(8)?, two(11)?, two(14)?, two(17)?, 0).ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

/// Returns the form of a time that cannot be read, without its value: each digit as `9` and
/// each letter as `a`.
pub(super) fn time_form(text: &str) -> String {
    let form = |character: char| match character {
        '0'..='9' => '9',
        letter if letter.is_alphanumeric() => 'a',
        other if other.is_ascii_graphic() || other == ' ' => other,
        _ => '?',
    };
    text.chars().take(FORM_MAX_CHARS).map(form).collect()
}

fn parse_other(text: &str) -> Option<Timestamp> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return if EPOCH_SECONDS.contains(&number) {
            Timestamp::from_second(number).ok()
        } else if EPOCH_SECONDS.contains(&(number / 1000)) {
            Timestamp::from_millisecond(number).ok()
        } else {
            None
        };
    }
    if let Some(time) = text.strip_suffix(" UTC") {
        return parse_iso(time);
    }
    let begins_with_letter = text.starts_with(|first: char| first.is_ascii_alphabetic());
    let zoned = begins_with_letter.then(|| rfc2822::parse(text).ok())?;
    zoned.map(|zoned| zoned.timestamp())
}

fn parse_iso(text: &str) -> Option<Timestamp> {
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
            ("1534155331", Some("2018-08-13T10:15:31Z")),
            ("1534155331000", Some("2018-08-13T10:15:31Z")),
            ("1534155331249", Some("2018-08-13T10:15:31.249Z")),
            ("2018-08-13T10:15:31 UTC", Some("2018-08-13T10:15:31Z")),
            ("2018-08-13 10:15:31 UTC", Some("2018-08-13T10:15:31Z")),
            (
                "Mon, 13 Aug 2018 10:15:31 GMT",
                Some("2018-08-13T10:15:31Z"),
            ),
            (
                "Mon, 13 Aug 2018 12:15:31 +0200",
                Some("2018-08-13T10:15:31Z"),
            ),
            ("424242424", None),
            ("1534155331.5", None),
            ("99999999999999999999", None),
            ("2018-13-45T10:15:31", None),
            ("0000-00-00T00:00:00", None),
        ];
        for (text, expected) in cases {
            let expected = expected.map(|text| text.parse::<Timestamp>().expect(text));
            assert_eq!(parse_time(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_documented_form_is_read_as_the_parser_of_all_forms_reads_it() {
        let time = "2018-08-13T10:15:31";
        let others = [
            '0', '1', '2', '3', '5', '6', '9', '-', ':', 'T', 't', ' ', '/', 'é',
        ];
        for (place, character) in time.char_indices() {
            for other in others {
                let (before, rest) = time.split_at(place);
                let text = format!("{before}{other}{}", &rest[character.len_utf8()..]);
                let read = parse_documented(&text);
                assert!(read.is_none() || read == parse_iso(&text), "{text}");
            }
        }
        let some = [
            "0000-01-01T00:00:00",
            "1969-12-31T23:59:59",
            "9999-12-30T22:00:00",
        ];
        for text in some.into_iter().chain([time, "2024-02-29T23:59:59"]) {
            let read = parse_documented(text);
            assert!(read.is_some() && read == parse_iso(text), "{text}");
        }
        for text in [
            "2023-02-29T00:00:00",
            "2018-08-13T24:00:00",
            "9999-12-31T23:59:59",
        ] {
            assert_eq!(parse_documented(text), None, "{text}");
        }
    }

    #[test]
    fn a_form_has_no_value() {
        let cases = [
            ("13/08/2018 10:15", "99/99/9999 99:99"),
            ("ada@example.org", "aaa@aaaaaaa.aaa"),
            ("søn 1\n", "aaa 9?"),
        ];
        for (text, form) in cases {
            assert_eq!(time_form(text), form);
        }
        assert_eq!(time_form(&"7".repeat(100)).len(), FORM_MAX_CHARS);
    }
}
