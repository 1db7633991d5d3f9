//! From what the API said to the value of a label.

use std::borrow::Cow;

/// The value for one that is missing, empty or no string.
pub const UNKNOWN: &str = "unknown";

/// The value for what the series cap left no room for.
pub const OTHER: &str = "other";

/// Where a value is cut, in characters.
pub const LABEL_MAX_CHARS: usize = 64;

/// The label value for what the API said: case kept, cut at
/// [`LABEL_MAX_CHARS`], [`UNKNOWN`] where there is nothing to show.
#[must_use]
pub fn label_value(said: Option<Cow<'_, str>>) -> Cow<'_, str> {
    match said {
        None => Cow::Borrowed(UNKNOWN),
        Some(value) if value.is_empty() => Cow::Borrowed(UNKNOWN),
        Some(value) => cut(value),
    }
}

fn cut(value: Cow<'_, str>) -> Cow<'_, str> {
    // The first test alone answers for every value that the API is known to send.
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
