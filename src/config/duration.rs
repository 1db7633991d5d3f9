//! Durations as settings have them: `30s`, `15m`, `24h`, `7d`.

use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::ValueError;

/// Parses a duration that is not negative; a day is 24 hours.
///
/// # Errors
/// [`ValueError::Duration`].
pub(super) fn parse_duration(text: &str) -> Result<SignedDuration, ValueError> {
    let unreadable = || ValueError::Duration(text.to_owned());
    // jiff takes ISO 8601 as well, where `P1M` is a month.
    if text.starts_with(['P', 'p', '+', '-']) {
        return Err(unreadable());
    }
    if text == "0" {
        return Ok(SignedDuration::ZERO);
    }
    let span: Span = text.parse().map_err(|_| unreadable())?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| unreadable())?;
    if duration.is_negative() {
        return Err(unreadable());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let cases = [
            ("30s", Some(30)),
            ("15m", Some(900)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
            ("1h30m", Some(5400)),
            ("0", Some(0)),
            ("0s", Some(0)),
            ("30", None),
            ("", None),
            ("-5s", None),
            ("5s ago", None),
            ("PT30S", None),
            ("1y", None),
            ("soon", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(
                parse_duration(text).ok().map(|d| d.as_secs()),
                seconds,
                "{text:?}"
            );
        }
    }
}
