//! JSON of the API in a different layout, with the same value.

use std::fmt::Write;

/// Returns `json`, which must be JSON, on one line and without white space between
/// tokens. [Unprintable](is_unprintable) characters are escaped, which does not change
/// the value.
#[must_use]
pub fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for token in tokens(json) {
        push(&mut out, token);
    }
    out
}

/// Returns `json`, which must be JSON, on several lines. Each line but the first begins
/// with `margin` spaces, and two more for each level of nesting. Unprintable characters are
/// escaped.
#[must_use]
pub fn indented(json: &str, margin: usize) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut tokens = tokens(json).peekable();
    while let Some(token) = tokens.next() {
        push(&mut out, token);
        let empty = tokens.peek().is_some_and(|next| matches!(*next, "]" | "}"));
        match token {
            "{" | "[" if !empty => depth += 1,
            ":" => out.push(' '),
            _ => {}
        }
        match (token, tokens.peek()) {
            ("{" | "[", _) if empty => {}
            ("{" | "[" | ",", _) => new_line(&mut out, margin + 2 * depth),
            (_, Some(&("}" | "]"))) => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, margin + 2 * depth);
            }
            _ => {}
        }
    }
    out
}

fn new_line(out: &mut String, margin: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', margin));
}

/// Splits JSON into strings with their quotes, punctuation, and other values.
fn tokens(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let first = rest.chars().next()?;
        let length = match first {
            '"' => string_length(rest),
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            _ => rest
                .find(|c: char| c.is_ascii_whitespace() || "{}[],:\"".contains(c))
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(token)
    })
}

fn string_length(text: &str) -> usize {
    let mut escaped = true;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// Appends a token. Only strings contain characters that have to be escaped.
fn push(out: &mut String, token: &str) {
    if token.is_ascii() && !token.contains('\u{7f}') || !token.contains(is_unprintable) {
        out.push_str(token);
        return;
    }
    let mut units = [0; 2];
    for character in token.chars() {
        if is_unprintable(character) {
            for unit in character.encode_utf16(&mut units) {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
}

/// Returns `true` for a character that could mislead a reader or control a terminal:
/// control characters, and invisible characters such as direction marks, joiners, line
/// and paragraph separators, and tags.
#[must_use]
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    const ODD: &str = "{ \"a\\\"\\\\\" : [ 1 ,2.50, {} , [ ] ],\n\t\"b \u{9b}\u{e0041}\":{\"c\":null,\"d\":\" , \"} }";

    #[test]
    fn compact_is_the_same_value_on_one_line() {
        assert_eq!(
            compact(ODD),
            r#"{"a\"\\":[1,2.50,{},[]],"b \u009b\udb40\udc41":{"c":null,"d":" , "}}"#
        );
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(value(&compact(ODD)), value(ODD));
        assert_eq!(value(&indented(ODD, 4)), value(ODD));
        assert_eq!(compact("7"), "7");
    }

    #[test]
    fn indented_puts_each_value_on_a_line_of_its_own() {
        insta::assert_snapshot!(format!("  {}", indented(ODD, 2)), @r#"
        {
          "a\"\\": [
            1,
            2.50,
            {},
            []
          ],
          "b \u009b\udb40\udc41": {
            "c": null,
            "d": " , "
          }
        }
        "#);
        assert_eq!(indented("{}", 2), "{}");
    }

    #[test]
    fn characters_that_mislead_are_unprintable() {
        let unprintable = "\0\t\n\u{1b}\u{7f}\u{9b}\u{ad}\u{200b}\u{200f}\u{2028}\u{202e}\u{2066}\u{feff}\u{e0041}";
        assert!(unprintable.chars().all(is_unprintable));
        let printable = "az AZ 09 ~ \u{a0}é€中\u{1f600}";
        assert!(!printable.chars().any(is_unprintable));
    }

    /// JSON with white space of any kind between its tokens.
    fn json() -> impl Strategy<Value = String> {
        let blank = || select(vec!["", "", " ", "\n\t", "\r\n  "]);
        let character = prop_oneof![
            any::<char>(),
            select(vec![
                '"',
                '\\',
                ',',
                ':',
                '{',
                ']',
                '\u{9b}',
                '\u{202e}',
                '\u{e0041}'
            ])
        ];
        let text = vec(character, 0..6).prop_map(|characters| {
            let text: String = characters.into_iter().collect();
            serde_json::Value::from(text).to_string()
        });
        let number = select(vec!["0", "-1", "2.50", "1e3", "true", "null"]);
        let leaf = prop_oneof![text.clone(), number.prop_map(str::to_owned)];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            let list = (vec(inner.clone(), 0..4), blank()).prop_map(|(items, blank)| {
                format!("[{blank}{}{blank}]", items.join(&format!("{blank},")))
            });
            let object = (vec((text.clone(), inner), 0..4), blank()).prop_map(|(fields, blank)| {
                let fields = fields
                    .iter()
                    .map(|(name, value)| format!("{name}{blank}:{blank}{value}"));
                format!("{{{blank}{}{blank}}}", fields.collect::<Vec<_>>().join(","))
            });
            prop_oneof![list, object]
        })
    }

    proptest! {
        #[test]
        fn another_layout_is_the_same_value(json in json(), margin in 0..5_usize) {
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            let one_line = compact(&json);
            let lines = indented(&json, margin);
            prop_assert_eq!(value(&one_line), value(&json));
            prop_assert_eq!(value(&lines), value(&json));
            prop_assert!(!one_line.contains(is_unprintable), "{}", one_line);
            prop_assert!(!lines.replace('\n', "").contains(is_unprintable), "{}", lines);
            prop_assert_eq!(&compact(&lines), &one_line);
            prop_assert_eq!(&compact(&one_line), &one_line);
            let blanks = " ".repeat(margin);
            prop_assert!(lines.lines().skip(1).all(|line| line.starts_with(&blanks)));
        }
    }
}
