//! The text that an encoded text stands for.

use audit_core::raw_event::is_unprintable;
use percent_encoding::percent_decode_str;

/// Fullwidth forms of ASCII, and their distance from it.
const FULLWIDTH: std::ops::RangeInclusive<char> = '\u{ff01}'..='\u{ff5e}';
const FULLWIDTH_DISTANCE: u32 = 0xfee0;

/// Returns what `text` stands for if a part of it is encoded as in a URL, in JSON or in HTML;
/// `None` if none is.
pub(super) fn decoded(text: &str) -> Option<String> {
    let decoded = narrow(&percent_decode_str(&without_escapes(text)).decode_utf8_lossy());
    (decoded != text).then_some(decoded)
}

/// Returns the text without characters that cannot be seen, and in ASCII where Unicode has
/// a wide or a small form of it.
pub(super) fn narrow(text: &str) -> String {
    let visible = text.chars().filter(|c| !is_unprintable(*c));
    visible.map(narrow_character).collect()
}

fn narrow_character(character: char) -> char {
    match character {
        wide if FULLWIDTH.contains(&wide) => {
            let ascii = u32::from(wide) - FULLWIDTH_DISTANCE;
            char::from_u32(ascii).unwrap_or(wide)
        }
        '\u{fe6b}' => '@',
        '\u{fe52}' | '\u{3002}' | '\u{ff61}' | '\u{2024}' => '.',
        '\u{fe55}' => ':',
        '\u{fe62}' => '+',
        '\u{3000}' => ' ',
        other => other,
    }
}

/// Replaces escapes of JSON and JavaScript such as `\u0040`, and references of HTML such as
/// `&#64;` and `&#x40;`.
fn without_escapes(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['\\', '&']) {
        let (before, escape) = rest.split_at(start);
        decoded.push_str(before);
        let found = escaped(escape);
        let (character, length) = found.unwrap_or((char::from(escape.as_bytes()[0]), 1));
        decoded.push(character);
        rest = &escape[length..];
    }
    decoded.push_str(rest);
    decoded
}

/// Returns the character at the beginning of `text` that is escaped there, and the length
/// of its escape.
fn escaped(text: &str) -> Option<(char, usize)> {
    let (digits, radix, length) = if let Some(rest) = text.strip_prefix("\\u") {
        (rest.get(..4)?, 16, 6)
    } else if let Some(rest) = text.strip_prefix("\\x") {
        (rest.get(..2)?, 16, 4)
    } else {
        let rest = text.strip_prefix("&#")?;
        let (reference, _) = rest.split_once(';')?;
        let length = "&#".len() + reference.len() + 1;
        match reference.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16, length),
            None => (reference, 10, length),
        }
    };
    let code = u32::from_str_radix(digits, radix).ok()?;
    Some((char::from_u32(code)?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_decoded() {
        let cases = [
            ("a%40b", "a@b"),
            ("a%2540b", "a%40b"),
            ("a\u{ff20}b", "a@b"),
            ("a%EF%BC%A0b", "a@b"),
            ("\u{ff11}\u{ff12}\u{ff0e}\u{ff13}", "12.3"),
            (r"a\u0040b \x40", "a@b @"),
            ("a&#64;b &#x40; &#;", "a@b @ &#;"),
            ("a\u{200b}b%00c\u{202e}", "abc"),
            ("100 % of 5%", "100 % of 5%"),
            (r"a \ b & c \u00", r"a \ b & c \u00"),
            ("%ff", "\u{fffd}"),
        ];
        for (text, expected) in cases {
            let decoded = decoded(text);
            assert_eq!(decoded.as_deref().unwrap_or(text), expected, "{text}");
        }
    }
}
