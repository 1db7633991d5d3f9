//! Reads JSON in one pass, without building anything.
//!
//! A [`Scanner`] accepts no text that is not JSON. It does not accept all JSON: names and
//! values that are read must have no escapes, and nesting must be shallow. Functions return
//! `None` for what they do not accept, and the scanner is then of no further use.

use super::usual_names::UsualNames;

/// The deepest nesting of a value that is skipped.
const MAX_DEPTH: u32 = 64;

/// A text of JSON, of which a part was read.
pub(super) struct Scanner<'a> {
    text: &'a str,
    /// The place of the next byte.
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads an object. `value` has to read the value of each name.
    pub(super) fn object(
        &mut self,
        value: impl FnMut(&mut Self, &'a [u8]) -> Option<()>,
    ) -> Option<()> {
        let name = |scanner: &mut Self| {
            let name = scanner.string()?;
            scanner.expect(b':')?;
            Some(name)
        };
        self.members(name, value)
    }

    /// Reads an object as [`Scanner::object`] does, in less time if its names come in the order
    /// of `usual`, which is kept from one object to the next.
    pub(super) fn usual_object(
        &mut self,
        usual: &mut UsualNames<'a>,
        value: impl FnMut(&mut Self, &'a [u8]) -> Option<()>,
    ) -> Option<()> {
        let mut place = 0;
        self.members(|scanner| scanner.usual_name(usual, &mut place), value)
    }

    /// Reads an object. `name` has to read each name and the colon after it, and `value` the
    /// value.
    #[inline]
    fn members(
        &mut self,
        mut name: impl FnMut(&mut Self) -> Option<&'a [u8]>,
        mut value: impl FnMut(&mut Self, &'a [u8]) -> Option<()>,
    ) -> Option<()> {
        self.expect(b'{')?;
        if self.peek()? == b'}' {
            return self.expect(b'}');
        }
        loop {
            let name = name(self)?;
            value(self, name)?;
            if self.is_last(b'}')? {
                return Some(());
            }
        }
    }

    /// Reads a name and the colon after it. `place` is the one of the name that is expected.
    fn usual_name(&mut self, usual: &mut UsualNames<'a>, place: &mut usize) -> Option<&'a [u8]> {
        if let Some(member) = usual.get(*place)
            && self.rest().starts_with(member)
        {
            self.at += member.len();
            *place += 1;
            return member.get(1..member.len() - 2);
        }
        self.peek()?;
        let from = self.at;
        let name = self.string()?;
        self.expect(b':')?;
        let member = self.text.as_bytes().get(from..self.at)?;
        // With space before the colon, the name could not be told from the rest.
        if member.ends_with(b"\":") {
            usual.learn(member, place);
        }
        Some(name)
    }

    /// Reads an array. `value` has to read each of its values.
    pub(super) fn array(&mut self, mut value: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.expect(b'[')?;
        if self.peek()? == b']' {
            return self.expect(b']');
        }
        loop {
            value(self)?;
            if self.is_last(b']')? {
                return Some(());
            }
        }
    }

    /// Reads a string into `value`, or `null` as `None`.
    pub(super) fn string_or_null(&mut self, value: &mut Option<&'a str>) -> Option<()> {
        if self.peek()? == b'n' {
            *value = None;
            return self.word("null");
        }
        let len = self.string()?.len();
        let end = self.at - 1;
        *value = Some(self.text.get(end - len..end)?);
        Some(())
    }

    /// Reads a whole number into `value`, or `null` as `None`.
    pub(super) fn number_or_null(&mut self, value: &mut Option<u64>) -> Option<()> {
        if self.peek()? == b'n' {
            *value = None;
            return self.word("null");
        }
        let ((), number) = self.with_text(Self::number)?;
        *value = Some(number.parse().ok()?);
        Some(())
    }

    /// Skips any value.
    pub(super) fn skip(&mut self) -> Option<()> {
        self.skip_nested(MAX_DEPTH)
    }

    /// Reads a value by `read`. Returns its text, too.
    pub(super) fn with_text<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<(T, &'a str)> {
        self.peek()?;
        let from = self.at;
        let value = read(self)?;
        Some((value, self.text.get(from..self.at)?))
    }

    /// Returns `Some` if nothing but space is left.
    pub(super) fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    fn skip_nested(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' => {
                let depth = depth.checked_sub(1)?;
                self.object(|scanner, _| scanner.skip_nested(depth))
            }
            b'[' => {
                let depth = depth.checked_sub(1)?;
                self.array(|scanner| scanner.skip_nested(depth))
            }
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    /// Reads a string without escapes.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let from = self.at;
        if self.next_special()? != b'"' {
            return None;
        }
        self.text.as_bytes().get(from..self.at - 1)
    }

    fn skip_string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            match self.next_special()? {
                b'"' => return Some(()),
                b'\\' => self.skip_escape()?,
                _ => return None,
            }
        }
    }

    /// Reads up to the first byte that means something within a string, and returns that byte:
    /// a quotation mark, a backslash or a control character. Looks at eight bytes at once.
    #[inline]
    fn next_special(&mut self) -> Option<u8> {
        let mut rest = self.rest();
        while let Some((word, after)) = rest.split_first_chunk() {
            let word = u64::from_le_bytes(*word);
            let suspects = suspects(word);
            // Bytes beyond ASCII are left out only where there are any.
            if suspects != 0 && suspects & !word != 0 {
                let bits = (suspects & !word).trailing_zeros() & !7;
                self.at = self.text.len() - rest.len() + bits as usize / 8 + 1;
                return Some((word >> bits).to_le_bytes()[0]);
            }
            rest = after;
        }
        let place = rest
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        self.at = self.text.len() - rest.len() + place + 1;
        rest.get(place).copied()
    }

    /// Skips what follows the backslash of an escape.
    fn skip_escape(&mut self) -> Option<()> {
        match self.next()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = self.rest().first_chunk::<4>()?;
                self.at += digits.len();
                digits.iter().all(u8::is_ascii_hexdigit).then_some(())
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        self.skip_any(b"-");
        if !self.skip_any(b"0") {
            self.digits()?;
        }
        if self.skip_any(b".") {
            self.digits()?;
        }
        if self.skip_any(b"eE") {
            self.skip_any(b"+-");
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let rest = self.rest().iter();
        let digits = rest.take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        (digits > 0).then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        let is_there = self.rest().starts_with(word.as_bytes());
        self.at += word.len();
        is_there.then_some(())
    }

    /// Skips the next byte if it is any of `bytes`. Returns `true` if it is.
    fn skip_any(&mut self, bytes: &[u8]) -> bool {
        let is_there = self.rest().first().is_some_and(|next| bytes.contains(next));
        self.at += usize::from(is_there);
        is_there
    }

    /// Reads what follows a value within an object or an array that ends with `end`. Returns
    /// `true` if that is its end.
    fn is_last(&mut self, end: u8) -> Option<bool> {
        let next = self.peek()?;
        self.at += 1;
        match next {
            b',' => Some(false),
            _ => (next == end).then_some(true),
        }
    }

    /// Reads space, and then `byte`.
    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        let next = self.peek()?;
        self.at += 1;
        (next == byte).then_some(())
    }

    /// Reads the next byte.
    fn next(&mut self) -> Option<u8> {
        let next = *self.text.as_bytes().get(self.at)?;
        self.at += 1;
        Some(next)
    }

    /// Reads space, and returns the byte after it.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let next = *self.text.as_bytes().get(self.at)?;
        // Most pages have no space between their values.
        if next > b' ' {
            return Some(next);
        }
        self.peek_after_space()
    }

    #[cold]
    fn peek_after_space(&mut self) -> Option<u8> {
        loop {
            let next = *self.text.as_bytes().get(self.at)?;
            if !matches!(next, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(next);
            }
            self.at += 1;
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }
}

/// Finds quotation marks, backslashes and control characters among eight bytes: the highest
/// bit of each is set, as may be that of any byte beyond ASCII. Bytes above the first one that
/// is found may be wrong. Returns 0 if there is none.
#[inline]
fn suspects(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // To subtract from a byte that is smaller sets its highest bit. Of all bytes of ASCII,
    // control characters and the quotation mark are below 0x21 once their second bit is turned.
    let quotes_and_controls = (word ^ (EACH * 0x02)).wrapping_sub(EACH * 0x21);
    let backslashes = (word ^ (EACH * 0x5c)).wrapping_sub(EACH);
    (quotes_and_controls | backslashes) & (EACH << 7)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};
    use serde::de::IgnoredAny;
    use serde_json::{Value, json};

    use super::*;

    fn is_accepted(text: &str) -> bool {
        let mut scanner = Scanner::new(text);
        scanner.skip().and_then(|()| scanner.end()).is_some()
    }

    #[test]
    fn what_is_no_json_is_not_accepted() {
        let texts = [
            "",
            " ",
            "nul",
            "nulll",
            "tru",
            "+1",
            "01",
            "-",
            "-01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "0x1",
            "1 2",
            "[",
            "]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1}",
            "{",
            "{}}",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "{\"a\" 1}",
            "\"",
            "\"a",
            "'a'",
            "\"\n\"",
            "\"\u{1f}\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\u123g""#,
            r#""\""#,
        ];
        for text in texts {
            serde_json::from_str::<IgnoredAny>(text).expect_err(text);
            assert!(!is_accepted(text), "{text}");
        }
    }

    #[test]
    fn only_shallow_nesting_is_accepted() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_accepted(&nested(MAX_DEPTH as usize)));
        assert!(!is_accepted(&nested(MAX_DEPTH as usize + 1)));
        assert!(!is_accepted(&nested(1_000_000)));
    }

    #[test]
    fn a_byte_that_means_something_within_a_string_is_found_at_any_place() {
        for special in ["\"", "\\", "\0", "\u{1f}"] {
            for len in 0..40 {
                for plain in ["a", "\u{7f}", " ", "é", "!", "#", "["] {
                    let text = plain.repeat(len);
                    assert_eq!(Scanner::new(&text).next_special(), None);
                    let with_special = format!("{text}{special}{plain}{special}");
                    let mut scanner = Scanner::new(&with_special);
                    let found = scanner.next_special();
                    assert_eq!(found, special.bytes().next());
                    assert_eq!(scanner.at, text.len() + 1);
                }
            }
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-z é]{0,9}", inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_accepted(value in value()) {
            prop_assert!(is_accepted(&value.to_string()));
            prop_assert!(is_accepted(&serde_json::to_string_pretty(&value).expect("JSON")));
        }

        #[test]
        fn what_is_accepted_is_json(tokens in prop::collection::vec(select(vec![
            "{", "}", "[", "]", ",", ":", "\"a\"", "\"", r"\u00", r"\n", "1", "0", "-", ".", "e", " ",
            "null", "true", "é", "\n",
        ]), 0..9)) {
            let text = tokens.concat();
            if is_accepted(&text) {
                prop_assert!(serde_json::from_str::<IgnoredAny>(&text).is_ok(), "{text}");
            }
        }

        #[test]
        fn a_string_is_read_whole(text in "[^\"\\\\\\x00-\\x1f]{0,40}", number in any::<u64>()) {
            let json = json!([text, null, number, null]).to_string();
            let mut scanner = Scanner::new(&json);
            let (mut strings, mut numbers) = (Vec::new(), Vec::new());
            let read = scanner.array(|scanner| {
                if strings.len() < 2 {
                    strings.push(Some("before"));
                    scanner.string_or_null(strings.last_mut()?)
                } else {
                    numbers.push(Some(7));
                    scanner.number_or_null(numbers.last_mut()?)
                }
            });
            prop_assert!(read.is_some() && scanner.end().is_some());
            prop_assert_eq!(strings, [Some(&*text), None]);
            prop_assert_eq!(numbers, [Some(number), None]);
        }
    }
}
