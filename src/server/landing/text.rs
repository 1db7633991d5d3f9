//! Texts of the landing page: escaped, and with times and numbers for people.

use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};

/// The units of a span, in seconds.
const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

/// Returns the text as HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Writes a time in whole seconds.
pub(super) fn at(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// Writes the two largest units, such as `3h 12m`. A time in the future, of a clock that
/// differs, counts as now.
pub(super) fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let largest = UNITS.iter().position(|(unit, _)| seconds >= *unit);
    let largest = largest.unwrap_or(UNITS.len() - 1);
    let mut rest = seconds;
    let mut texts = Vec::new();
    for (unit, name) in UNITS.iter().skip(largest).take(2) {
        if rest >= *unit || texts.is_empty() {
            texts.push(format!("{}{name}", rest / unit));
        }
        rest %= unit;
    }
    texts.join(" ")
}

/// Writes a number with a comma before each three digits.
pub(super) fn number(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a number with the noun that it counts, whose plural has an `s`.
pub(super) fn counted(of: usize, noun: &str) -> String {
    match of {
        1 => format!("1 {noun}"),
        _ => format!("{} {noun}s", number(of)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_numbers_are_short() {
        for (seconds, expected) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (725, "12m 5s"),
            (3_605, "1h"),
            (11_525, "3h 12m"),
            (86_400 * 3 + 7_200, "3d 2h"),
        ] {
            assert_eq!(span(SignedDuration::from_secs(seconds)), expected);
        }
        let numbers = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (of, expected) in numbers {
            assert_eq!(number(of), expected);
        }
        assert_eq!(counted(1, "account"), "1 account");
        assert_eq!(counted(10_000, "account"), "10,000 accounts");
    }
}
