//! Times as people write them, in every setting: `2026-11-23`, `2026-11-23T10:00:00Z`, `2h`.

use audit_core::account::PollStart;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::{SettingsCheck, ValueError, duration::parse_duration};

/// A time as a person wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeExpression {
    Now,
    /// `2h`, or `-2h`, which is the same.
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
fn parse_time_expression(text: &str) -> Result<TimeExpression, ValueError> {
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
    parse_duration(text.strip_prefix('-').unwrap_or(text))
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

    /// Returns the start of counting; a time without an offset is in UTC.
    fn poll_start(self) -> Result<PollStart, jiff::Error> {
        match self {
            TimeExpression::Now => Ok(PollStart::Now),
            TimeExpression::Ago(age) => Ok(PollStart::Age(age)),
            other => Ok(PollStart::At(other.begin(Timestamp::MIN, &TimeZone::UTC)?)),
        }
    }
}

impl SettingsCheck {
    /// Returns the time that `text` is, as `resolve` understands it.
    pub(super) fn time<T>(
        &mut self,
        setting: &str,
        text: &str,
        resolve: impl FnOnce(TimeExpression) -> Result<T, jiff::Error>,
    ) -> Option<T> {
        let expression = self.ok(setting, parse_time_expression(text))?;
        let problem = |_| format!("{text:?} is too far from today; write a closer time");
        self.ok(setting, resolve(expression).map_err(problem))
    }

    pub(super) fn poll_start(&mut self, text: &str) -> Option<PollStart> {
        let start = self.time("--poll.start", text, TimeExpression::poll_start)?;
        if matches!(start, PollStart::At(time) if time > Timestamp::now()) {
            let doubt = "is in the future, and no event before it is counted";
            self.warn("--poll.start", doubt);
        }
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row for each form: the text, and what it is in `--from`, `--to` and
    /// `--poll.start`. The first two are in a zone of 2 hours east of UTC.
    #[test]
    fn every_setting_knows_the_same_forms() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let now = at("2026-11-23T12:00:00Z");
        let there = TimeZone::fixed(jiff::tz::offset(2));
        let ago = |hours| PollStart::Age(SignedDuration::from_hours(hours));
        let start = |text| PollStart::At(at(text));
        let cases = [
            (
                "now",
                "2026-11-23T12:00Z",
                "2026-11-23T12:00Z",
                PollStart::Now,
            ),
            ("2h", "2026-11-23T10:00Z", "2026-11-23T10:00Z", ago(2)),
            ("-2h", "2026-11-23T10:00Z", "2026-11-23T10:00Z", ago(2)),
            ("7d", "2026-11-16T12:00Z", "2026-11-16T12:00Z", ago(168)),
            (
                "2026-11-23",
                "2026-11-22T22:00Z",
                "2026-11-23T22:00Z",
                start("2026-11-23T00:00Z"),
            ),
            (
                "2026-11-23T10:00:00Z",
                "2026-11-23T10:00Z",
                "2026-11-23T10:00Z",
                start("2026-11-23T10:00Z"),
            ),
            (
                "2026-11-23T10:00:00-05:00",
                "2026-11-23T15:00Z",
                "2026-11-23T15:00Z",
                start("2026-11-23T15:00Z"),
            ),
            (
                "2026-11-23T10:00:00",
                "2026-11-23T08:00Z",
                "2026-11-23T08:00Z",
                start("2026-11-23T10:00Z"),
            ),
            (
                "2026-11-23 10:00",
                "2026-11-23T08:00Z",
                "2026-11-23T08:00Z",
                start("2026-11-23T10:00Z"),
            ),
        ];
        for (text, begin, end, start) in cases {
            let time = parse_time_expression(text).expect(text);
            assert_eq!(time.begin(now, &there).expect(text), at(begin), "{text}");
            assert_eq!(time.end(now, &there).expect(text), at(end), "{text}");
            assert_eq!(time.poll_start().expect(text), start, "{text}");
        }
        for text in [
            "",
            "-",
            "soon",
            "2026-13-01",
            "2026-11-23T",
            "--2h",
            "+2h",
            "10:00",
            "-now",
        ] {
            assert!(parse_time_expression(text).is_err(), "{text}");
        }
    }
}
