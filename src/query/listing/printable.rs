//! Text of the API on a terminal: no character may move the cursor, colour the text
//! after it, or change the direction of reading.

use std::borrow::Cow;
use std::fmt::Write;

use audit_core::raw_event::is_unprintable;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The mark at the place where a text was cut.
const ELLIPSIS: char = '…';

/// Returns the text with an escape in place of every character that could steer a
/// terminal or be invisible there: `\n`, `\t`, `\u{1b}`.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            other if is_unprintable(other) => {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(other));
            }
            other => shown.push(other),
        }
    }
    Cow::Owned(shown)
}

/// Returns the number of terminal columns of a printable text.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Returns the part of a printable text that fits `columns`, with a mark where it was
/// cut.
pub(crate) fn fitted(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut left = columns.saturating_sub(1);
    let fits = |character: &char| {
        let wide = character.width().unwrap_or(0);
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    if columns > 0 {
        cut.push(ELLIPSIS);
    }
    Cow::Owned(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let cases = [
            ("ada@example.org", "ada@example.org"),
            ("naïve 日本 \\", "naïve 日本 \\"),
            ("a\nb\tc\r", "a\\nb\\tc\\r"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("\u{7f}", "\\u{7f}"),
        ];
        for (said, shown) in cases {
            assert_eq!(printable(said), shown);
        }
    }

    #[test]
    fn what_is_too_wide_is_cut_with_a_sign() {
        let cases = [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ];
        for (text, columns, shown) in cases {
            assert_eq!(fitted(text, columns), shown, "{text} in {columns}");
        }
    }
}
