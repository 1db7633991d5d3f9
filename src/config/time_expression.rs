//! Moments as people write them: `2026-11-23`, `2026-11-23T10:00:00Z`, `2h`.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::duration::parse_duration;

/// A moment, as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Now,
    Ago(SignedDuration),
    At(Timestamp),
    /// Without an offset: in the zone that times are shown in.
    Civil(DateTime),
    Day(Date),
}

const UNREADABLE: &str =
    "is no time; write a date (2026-11-23), a time (2026-11-23T10:00:00Z), an age (2h) or now";

/// Reads a moment.
///
/// # Errors
/// What is wrong with the text, ready to follow the name of the setting.
pub(super) fn parse_moment(text: &str) -> Result<Moment, String> {
    let unreadable = || format!("{text:?} {UNREADABLE}");
    if text == "now" {
        return Ok(Moment::Now);
    }
    if let Ok(time) = text.parse() {
        return Ok(Moment::At(time));
    }
    if let Ok(date) = text.parse::<Date>() {
        // The parser of dates takes a time too, and ignores it.
        let is_date = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
        return match text.parse() {
            _ if is_date => Ok(Moment::Day(date)),
            Ok(civil) => Ok(Moment::Civil(civil)),
            Err(_) => Err(unreadable()),
        };
    }
    parse_duration(text)
        .map(Moment::Ago)
        .map_err(|_| unreadable())
}

impl Moment {
    /// When it begins; a day at its midnight in `zone`.
    pub(super) fn begin(self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            Moment::Now => Ok(now),
            Moment::Ago(age) => now.checked_sub(age),
            Moment::At(time) => Ok(time),
            Moment::Civil(time) => Ok(time.to_zoned(zone.clone())?.timestamp()),
            Moment::Day(date) => Ok(date.to_zoned(zone.clone())?.timestamp()),
        }
    }

    /// When it has ended: a day at the next midnight, anything else where it begins.
    pub(super) fn end(self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            Moment::Day(date) => Moment::Day(date.tomorrow()?).begin(now, zone),
            other => other.begin(now, zone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
        let there = TimeZone::fixed(jiff::tz::offset(2));
        let cases = [
            ("now", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"),
            ("2h", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
            ("7d", "2026-11-16T12:00:00Z", "2026-11-16T12:00:00Z"),
            ("2026-11-23", "2026-11-22T22:00:00Z", "2026-11-23T22:00:00Z"),
            (
                "2026-11-23T10:00:00Z",
                "2026-11-23T10:00:00Z",
                "2026-11-23T10:00:00Z",
            ),
            (
                "2026-11-23T10:00:00-05:00",
                "2026-11-23T15:00:00Z",
                "2026-11-23T15:00:00Z",
            ),
            (
                "2026-11-23T10:00:00",
                "2026-11-23T08:00:00Z",
                "2026-11-23T08:00:00Z",
            ),
            (
                "2026-11-23 10:00",
                "2026-11-23T08:00:00Z",
                "2026-11-23T08:00:00Z",
            ),
        ];
        for (text, begin, end) in cases {
            let moment = parse_moment(text).expect(text);
            let shown = |time: Result<Timestamp, _>| time.expect(text).to_string();
            assert_eq!(shown(moment.begin(now, &there)), begin, "{text}");
            assert_eq!(shown(moment.end(now, &there)), end, "{text}");
        }
        for text in ["", "soon", "2026-13-01", "2026-11-23T", "-2h", "10:00"] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }
}
