use std::time::Duration;

use jiff::Timestamp;

/// Returns `duration` in seconds, rounded to milliseconds: every duration in the log is
/// written so, in a field whose name ends in `_seconds`.
#[must_use]
pub(crate) fn log_seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// Returns `time` in RFC 3339 with milliseconds: every time in the log is written so.
#[must_use]
pub(crate) fn log_time(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_to_milliseconds() {
        for (nanoseconds, expected) in [
            (0, "0"),
            (499_999, "0"),
            (500_000, "0.001"),
            (1_234_567_890, "1.235"),
            (30_000_000_000, "30"),
        ] {
            let seconds = log_seconds(Duration::from_nanos(nanoseconds));
            assert_eq!(seconds.to_string(), expected, "{nanoseconds} ns");
        }
    }

    #[test]
    fn times_are_written_with_milliseconds() {
        for (time, expected) in [
            ("2026-11-26T17:00:00Z", "2026-11-26T17:00:00.000Z"),
            ("2026-11-26T17:00:00.123456789Z", "2026-11-26T17:00:00.123Z"),
        ] {
            let time: Timestamp = time.parse().expect("a time");
            assert_eq!(log_time(time), expected);
        }
    }
}
