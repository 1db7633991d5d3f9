use std::time::Duration;

/// Returns `duration` in seconds, rounded to milliseconds: every duration in the log is
/// written so, in a field whose name ends in `_seconds`.
#[must_use]
pub(crate) fn log_seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
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
}
