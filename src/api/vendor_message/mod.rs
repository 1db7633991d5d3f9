//! The vendor's message and trace id in an error, and the removal of secrets and data from
//! them.
//!
//! The message often names the cause, and it cannot be trusted: it may quote the request,
//! or the data that the request was about, in whatever encoding.

mod data;
mod decoded;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

use data::{has_address, has_number, without_data};
use decoded::{decoded, narrow};

/// The longest part of the message that is kept, in characters.
const MAX_CHARS: usize = 200;

/// The number of encodings that are looked through, one in the other.
const MAX_LAYERS: usize = 4;

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
    let is_hex = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    // A random number in hexadecimal often has many digits in a row.
    let is_random = text.bytes().all(is_hex) && text.bytes().any(|b| b.is_ascii_alphabetic());
    (1..=MAX_TRACE_CHARS).contains(&text.len())
        && text.bytes().all(may_have)
        && !has_address(text)
        && (is_random || !has_number(text))
        && hide(text, forms) == text
}

fn clean(said: &str, key: &str, secret: &str) -> String {
    let mut forms = forms(key, secret);
    forms.extend(self::forms(key, &narrow(secret)));
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    // The secret may be quoted in any of the layers: what is hidden in one is not decoded.
    let mut text = hide(&narrow(said), &forms);
    for _ in 1..MAX_LAYERS {
        let Some(next) = decoded(&text) else {
            break;
        };
        text = hide(&next, &forms);
    }
    // A brace begins a quoted event, and an angle bracket the page of a proxy.
    let words = text.find(['{', '<']).map_or(&*text, |end| &text[..end]);
    without_data(words).chars().take(MAX_CHARS).collect()
}

/// Replaces each of `forms` in `text`, in whatever case. Of forms that match at the same
/// place, the first one counts.
fn hide(text: &str, forms: &[String]) -> String {
    let forms: Vec<Vec<char>> = forms.iter().map(|form| form.chars().collect()).collect();
    let text: Vec<char> = text.chars().collect();
    let is_same = |one: &char, other: &char| one.to_lowercase().eq(other.to_lowercase());
    let mut hidden = String::with_capacity(text.len());
    let mut rest = &*text;
    while let [first, after @ ..] = rest {
        let form = forms.iter().find(|form| {
            rest.len() >= form.len()
                && form
                    .iter()
                    .zip(rest)
                    .all(|(one, other)| is_same(one, other))
        });
        if let Some(form) = form {
            hidden.push_str("[secret]");
            rest = &rest[form.len()..];
        } else {
            hidden.push(*first);
            rest = after;
        }
    }
    hidden
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
            ("HUNTER/2\" or Hunter%252f2%2522", "[secret] or [secret]"),
            (
                "hunter&#47;2\u{ff02} hunter\u{200b}/2\"",
                "[secret] [secret]",
            ),
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
            ("no user ada@example.org.", "no user <e-mail>."),
            (
                "from 203.0.113.77/32, ip:2001:db8::7/64",
                "from <address>/32, ip:<address>/64",
            ),
            ("to +447700900123", "to <number>"),
            ("a%40example.com a%2540example.com", "<e-mail> <e-mail>"),
            (
                "a\u{ff20}example.com a&#64;b a\\u0040b",
                "<e-mail> <e-mail> <e-mail>",
            ),
            ("\u{ff12}\u{ff10}\u{ff13}\u{ff0e}0.113.77", "<address>"),
            ("a\u{200b}@\u{202e}b", "<e-mail>"),
            (r#"cannot write {"user_email": "ada"}"#, "cannot write "),
            ("cannot write %7B%22user_email%22: ada}", "cannot write "),
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
            ("id-HUNTER2-id", false),
            ("ip-203-0-113-77", false),
            ("ip:2001:db8::7", false),
            ("user424242424", false),
            ("0b5a3e12-1234-5678-9012-345678901234", true),
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
