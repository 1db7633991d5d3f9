//! How long ago something was, for people.

use jiff::{SignedDuration, Timestamp};

/// The age from which days are enough.
const DAYS_FROM: SignedDuration = SignedDuration::from_hours(48);
const DAY_HOURS: i64 = 24;

/// Returns a time with its age, such as `2026-11-26T10:00:00Z (3h 12m ago)`.
pub(super) fn with_age(time: Timestamp, now: Timestamp) -> String {
    let age = now.duration_since(time);
    let words = if age.as_secs() < 0 {
        format!(
            "in {}, which a wrong clock may have caused",
            span(age.abs())
        )
    } else {
        format!("{} ago", span(age))
    };
    format!("{time:.0} ({words})")
}

/// Returns a span in the units that matter, such as `40s`, `3h 12m` or `6 days`.
pub(super) fn span(span: SignedDuration) -> String {
    if span >= DAYS_FROM {
        return format!("{} days", span.as_hours() / DAY_HOURS);
    }
    let seconds = span.as_secs();
    let unit = if span.as_hours() > 0 { 60 } else { 1 };
    let whole = SignedDuration::from_secs(seconds - seconds % unit);
    format!("{whole:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_the_units_that_matter() {
        let cases = [
            (0, "0s"),
            (40, "40s"),
            (725, "12m 5s"),
            (3_600, "1h"),
            (11_525, "3h 12m"),
            (172_799, "47h 59m"),
            (172_800, "2 days"),
            (600_000, "6 days"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(span(SignedDuration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_time_has_its_age() {
        let time: Timestamp = "2026-11-26T10:00:00.75Z".parse().expect("a time");
        let after = |seconds| with_age(time, time + SignedDuration::from_secs(seconds));
        assert_eq!(after(90), "2026-11-26T10:00:00Z (1m 30s ago)");
        let wrong = "2026-11-26T10:00:00Z (in 1m, which a wrong clock may have caused)";
        assert_eq!(after(-60), wrong);
    }
}
