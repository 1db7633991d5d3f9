//! The vendor's message and trace id in an error, and the removal of secrets and data from
//! them.
//!
//! The message often names the cause, and it cannot be trusted: it may quote the request,
//! or the data that the request was about.

use std::net::IpAddr;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

/// The longest part of the message that is kept, in characters.
const MAX_CHARS: usize = 200;
/// The length of the shortest number that can be the id of a user, in digits.
const ID_DIGITS: usize = 6;

/// The header with the number of an answer, which the vendor's support asks for.
pub(super) const TRACE_ID: &str = "X-Nexmo-Trace-Id";
/// The length of the longest trace id that is shown. Trace ids of the vendor have 32
/// characters.
const MAX_TRACE_CHARS: usize = 64;

/// The vendor's message in an error and the trace id of the answer, without the secret,
/// control characters, and text that looks like data. Its display form follows a status:
/// `: "Unauthorized", X-Nexmo-Trace-Id 0b5a3e`, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorMessage {
    text: Option<String>,
    trace_id: Option<String>,
}

impl std::fmt::Display for VendorMessage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(text) = &self.text {
            write!(formatter, ": {text:?}")?;
        }
        if let Some(trace_id) = &self.trace_id {
            write!(formatter, ", {TRACE_ID} {trace_id}")?;
        }
        Ok(())
    }
}

impl VendorMessage {
    /// Reads `message` of the documented error body, or else its `error`. A body without
    /// either has no message. `key` and `secret` are those of the request.
    #[must_use]
    pub fn read(body: &[u8], key: &str, secret: &str) -> Self {
        #[derive(Deserialize)]
        struct Documented {
            message: Option<String>,
            error: Option<String>,
        }
        let documented: Option<Documented> = serde_json::from_slice(body).ok();
        let said = documented.and_then(|said| said.message.or(said.error));
        let clean = said.map(|said| clean(&said, key, secret));
        Self {
            text: clean.filter(|text| !text.trim().is_empty()),
            trace_id: None,
        }
    }

    /// Adds the trace id of the answer, if it looks like one. `key` and `secret` are those of
    /// the request.
    #[must_use]
    pub fn with_trace_id(mut self, trace_id: Option<&[u8]>, key: &str, secret: &str) -> Self {
        let text = trace_id.and_then(|id| str::from_utf8(id).ok());
        let trace_id = text.filter(|text| is_trace_id(text, &forms(key, secret)));
        self.trace_id = trace_id.map(str::to_owned);
        self
    }
}

/// Returns `true` for a short word that is neither data nor quotes one of `forms`.
fn is_trace_id(text: &str, forms: &[String]) -> bool {
    let may_have = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=MAX_TRACE_CHARS).contains(&text.len())
        && text.bytes().all(may_have)
        && stand_in(text).is_none()
        && !forms.iter().any(|form| text.contains(form.as_str()))
}

fn clean(said: &str, key: &str, secret: &str) -> String {
    let text = hide(&printable(said), &forms(key, &printable(secret)));
    // A brace begins a quoted event, and an angle bracket the page of a proxy.
    let words = text.find(['{', '<']).map_or(&*text, |end| &text[..end]);
    without_data(words).chars().take(MAX_CHARS).collect()
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Replaces each of `forms` in `text`. Of forms that match at the same place, the first one
/// counts.
fn hide(text: &str, forms: &[String]) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut characters = text.chars();
    loop {
        let rest = characters.as_str();
        if let Some(form) = forms.iter().find(|form| rest.starts_with(form.as_str())) {
            hidden.push_str("[secret]");
            characters = rest[form.len()..].chars();
        } else if let Some(character) = characters.next() {
            hidden.push(character);
        } else {
            return hidden;
        }
    }
}

/// Returns the forms in which the secret may be quoted, longest first: plain, in the header,
/// in a URL, and in JSON.
fn forms(key: &str, secret: &str) -> Vec<String> {
    if secret.is_empty() {
        return Vec::new();
    }
    let in_header = format!("{key}:{secret}");
    let in_json = serde_json::Value::from(secret).to_string();
    let in_url: String = byte_serialize(secret.as_bytes()).collect();
    let mut forms = vec![
        STANDARD_NO_PAD.encode(&in_header),
        URL_SAFE_NO_PAD.encode(&in_header),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        in_url.replace('+', "%20"),
        in_url,
        in_json[1..in_json.len() - 1].to_owned(),
        secret.to_owned(),
    ];
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
}

/// Replaces each e-mail address, IP address and long number in `text`.
fn without_data(text: &str) -> String {
    let ends_word = |c: char| c.is_whitespace() || "\"'`,;()[]=".contains(c);
    let words = text.split_inclusive(ends_word).map(|piece| {
        let word = piece.trim_end_matches(ends_word);
        match stand_in(word.trim_end_matches(['.', ':', '!', '?'])) {
            Some(stand_in) => format!("{stand_in}{}", &piece[word.len()..]),
            None => piece.to_owned(),
        }
    });
    words.collect()
}

fn stand_in(word: &str) -> Option<&'static str> {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if word.contains('@') {
        Some("<e-mail>")
    } else if is_address(word) {
        Some("<address>")
    } else if digits >= ID_DIGITS && digits == word.len() {
        Some("<number>")
    } else {
        None
    }
}

/// Returns `true` for an IP address, with or without a port.
fn is_address(word: &str) -> bool {
    let is = |text: &str| text.parse::<IpAddr>().is_ok();
    is(word) || word.rsplit_once(':').is_some_and(|(host, _)| is(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "hunter/2\"";

    fn shown(message: &str) -> Option<String> {
        let body = serde_json::json!({"status": 401, "error": "Error", "message": message});
        VendorMessage::read(body.to_string().as_bytes(), "abcd1234", SECRET).text
    }

    #[test]
    fn the_message_is_read_or_else_the_error() {
        let read = |body: &str| VendorMessage::read(body.as_bytes(), "abcd1234", SECRET).text;
        let cases = [
            (r#"{"error":"Unauthorized","message":"No."}"#, Some("No.")),
            (r#"{"error":"Unauthorized"}"#, Some("Unauthorized")),
            ("<html>", None),
            ("{}", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(read(body).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn the_secret_is_removed_in_each_form() {
        let cases = [
            ("hunter/2\" is\nwrong", "[secret] iswrong"),
            ("hun\nter/2\"", "[secret]"),
            ("is hunter%2F2%22 right?", "is [secret] right?"),
            (r#"secret: "hunter/2\"""#, r#"secret: "[secret]""#),
            ("Basic YWJjZDEyMzQ6aHVudGVyLzIi!", "Basic [secret]!"),
            ("aHVudGVyLzIi", "[secret]"),
        ];
        for (message, expected) in cases {
            assert_eq!(shown(message).as_deref(), Some(expected), "{message}");
        }
        // An empty secret, a short one, and one with a control character.
        let read = |secret: &str| {
            let body = br#"{"message": "ab\tcd is wrong"}"#;
            VendorMessage::read(body, "abcd1234", secret).text
        };
        assert_eq!(read("").as_deref(), Some("abcd is wrong"));
        assert_eq!(read("s").as_deref(), Some("abcd i[secret] wrong"));
        assert_eq!(read("ab\tcd").as_deref(), Some("[secret] is wrong"));
    }

    #[test]
    fn data_is_removed() {
        let cases = [
            ("no user ada@example.org.", "no user <e-mail>"),
            ("from 198.51.100.77: no", "from <address> no"),
            (
                "at [2001:db8::7], at 10.0.0.1:80",
                "at [<address>], at <address>",
            ),
            (
                "user_id=424242424, status 401",
                "user_id=<number>, status 401",
            ),
            (r#"cannot write {"user_email": "ada"}"#, "cannot write "),
            ("7 of 100 requests in 2026", "7 of 100 requests in 2026"),
        ];
        for (message, expected) in cases {
            assert_eq!(shown(message).as_deref(), Some(expected), "{message}");
        }
        assert_eq!(shown("<html><b>ada"), None);
    }

    #[test]
    fn a_trace_id_is_a_short_word_without_secrets_and_data() {
        let (id, long) = ("0f8b2c6d-41e7".to_owned(), "x".repeat(MAX_TRACE_CHARS + 1));
        let cases = [
            (&*id, true),
            (&long[1..], true),
            (&long, false),
            ("", false),
            ("two words", false),
            ("line\nend", false),
            ("quote\"", false),
            ("ada@example.org", false),
            ("198.51.100.77", false),
            ("424242424", false),
            ("id-hunter2-id", false),
            ("YWJjZDEyMzQ6aHVudGVyMg", false),
            ("\u{e9}", false),
        ];
        for (text, expected) in cases {
            let message = VendorMessage::default();
            let message = message.with_trace_id(Some(text.as_bytes()), "abcd1234", "hunter2");
            let shown = expected.then(|| format!(", X-Nexmo-Trace-Id {text}"));
            assert_eq!(message.to_string(), shown.unwrap_or_default(), "{text:?}");
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let long = shown(&"x".repeat(5000));
        assert_eq!(long.map(|text| text.len()), Some(MAX_CHARS));
    }
}
