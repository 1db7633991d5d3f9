//! Times as people write them: `2026-11-23`, `2026-11-23T10:00:00Z`, `2h`.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::{ValueError, duration::parse_duration};

/// A time as a person wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeExpression {
    Now,
    Ago(SignedDuration),
    At(Timestamp),
    /// A time without an offset, in the zone of the times that are shown.
    Civil(DateTime),
    Day(Date),
}

/// Parses a time.
///
/// # Errors
/// [`ValueError::Time`].
pub(super) fn parse_time_expression(text: &str) -> Result<TimeExpression, ValueError> {
    let unreadable = || ValueError::Time(text.to_owned());
    if text == "now" {
        return Ok(TimeExpression::Now);
    }
    if let Ok(time) = text.parse() {
        return Ok(TimeExpression::At(time));
    }
    if let Ok(date) = text.parse::<Date>() {
        // The parser of dates takes a date with a time as well, and drops the time.
        let is_date = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
        return match text.parse() {
            _ if is_date => Ok(TimeExpression::Day(date)),
            Ok(civil) => Ok(TimeExpression::Civil(civil)),
            Err(_) => Err(unreadable()),
        };
    }
    parse_duration(text)
        .map(TimeExpression::Ago)
        .map_err(|_| unreadable())
}

impl TimeExpression {
    /// Returns the moment; for a day, its midnight in `zone`.
    pub(super) fn begin(self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            TimeExpression::Now => Ok(now),
            TimeExpression::Ago(age) => now.checked_sub(age),
            TimeExpression::At(time) => Ok(time),
            TimeExpression::Civil(time) => Ok(time.to_zoned(zone.clone())?.timestamp()),
            TimeExpression::Day(date) => Ok(date.to_zoned(zone.clone())?.timestamp()),
        }
    }

    /// Returns the end: for a day, the next midnight in `zone`, and otherwise the
    /// moment.
    pub(super) fn end(self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            TimeExpression::Day(date) => TimeExpression::Day(date.tomorrow()?).begin(now, zone),
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
            let moment = parse_time_expression(text).expect(text);
            let shown = |time: Result<Timestamp, _>| time.expect(text).to_string();
            assert_eq!(shown(moment.begin(now, &there)), begin, "{text}");
            assert_eq!(shown(moment.end(now, &there)), end, "{text}");
        }
        for text in ["", "soon", "2026-13-01", "2026-11-23T", "-2h", "10:00"] {
            assert!(parse_time_expression(text).is_err(), "{text}");
        }
    }
}
