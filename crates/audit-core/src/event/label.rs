//! Values of labels.

use std::borrow::Cow;

/// The label value for a field that is missing, empty or not a string.
pub const UNKNOWN: &str = "unknown";

/// The label value of events beyond the series cap.
pub const OTHER: &str = "other";

/// The greatest length of a label value, in characters.
pub const LABEL_MAX_CHARS: usize = 64;

/// Returns the label value for a field of an event: its text, of which at most
/// [`LABEL_MAX_CHARS`] are kept, or [`UNKNOWN`] if it is missing or empty.
#[must_use]
pub fn label_value(text: Option<Cow<'_, str>>) -> Cow<'_, str> {
    match text {
        None => Cow::Borrowed(UNKNOWN),
        Some(value) if value.is_empty() => Cow::Borrowed(UNKNOWN),
        Some(value) => cut(value),
    }
}

fn cut(value: Cow<'_, str>) -> Cow<'_, str> {
    // Characters need to be counted only in values longer than any that the API sends.
    if value.len() <= LABEL_MAX_CHARS {
        return value;
    }
    let Some((end, _)) = value.char_indices().nth(LABEL_MAX_CHARS) else {
        return value;
    };
    match value {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let long = "é".repeat(LABEL_MAX_CHARS + 1);
        let longest = "é".repeat(LABEL_MAX_CHARS);
        let cases = [
            (None, UNKNOWN),
            (Some(""), UNKNOWN),
            (Some("GB"), "GB"),
            (Some("gb"), "gb"),
            (Some(" "), " "),
            (Some("a\"b\nc\\d"), "a\"b\nc\\d"),
            (Some(longest.as_str()), longest.as_str()),
            (Some(long.as_str()), longest.as_str()),
        ];
        for (said, shown) in cases {
            assert_eq!(label_value(said.map(Cow::Borrowed)), shown, "{said:?}");
            let owned = said.map(|text| Cow::Owned(text.to_owned()));
            assert_eq!(label_value(owned), shown, "{said:?}, owned");
        }
    }
}
