//! The vendor's own words in an error: what of them may be shown.
//!
//! They are worth reading and cannot be trusted: an error may quote what it was
//! sent, and what it was about. Pure.

use std::net::IpAddr;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use url::form_urlencoded::byte_serialize;

/// The longest piece of the vendor's message that is kept, in characters.
const MAX_CHARS: usize = 200;
/// A number of so many digits can be the id of a user.
const ID_DIGITS: usize = 6;

/// The vendor's own words in an error, ready to follow a status: without the secret,
/// without control characters, and without what looks like data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorMessage(Option<String>);

impl std::fmt::Display for VendorMessage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |text| write!(formatter, ": {text:?}"))
    }
}

impl VendorMessage {
    /// Reads `message` of the documented error body, or else its `error`; nothing
    /// where there is neither. `key` and `secret` are what the request was made with.
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
        Self(clean.filter(|text| !text.trim().is_empty()))
    }
}

fn clean(said: &str, key: &str, secret: &str) -> String {
    let text = hide(&printable(said), &forms(key, &printable(secret)));
    // Where something is quoted, it is an event or a page of some proxy.
    let words = text.find(['{', '<']).map_or(&*text, |end| &text[..end]);
    without_data(words).chars().take(MAX_CHARS).collect()
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Puts a word in place of each form, the first of those that begin at the same place.
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

/// Longest first. What the secret may be quoted as: by itself, in the header, in a URL, in JSON.
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

/// With a word in place of each e-mail address, IP address and long number.
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

/// With a port, too.
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
        VendorMessage::read(body.to_string().as_bytes(), "abcd1234", SECRET).0
    }

    #[test]
    fn the_message_or_else_the_error() {
        let read = |body: &str| VendorMessage::read(body.as_bytes(), "abcd1234", SECRET).0;
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
    fn it_bears_no_secret_however_it_is_quoted() {
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
        // Nothing to hide, and a secret that a control character was in.
        let read = |secret: &str| {
            let body = br#"{"message": "ab\tcd is wrong"}"#;
            VendorMessage::read(body, "abcd1234", secret).0
        };
        assert_eq!(read("").as_deref(), Some("abcd is wrong"));
        assert_eq!(read("s").as_deref(), Some("abcd i[secret] wrong"));
        assert_eq!(read("ab\tcd").as_deref(), Some("[secret] is wrong"));
    }

    #[test]
    fn it_bears_no_data() {
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
    fn it_is_cut() {
        let long = shown(&"x".repeat(5000));
        assert_eq!(long.map(|text| text.len()), Some(MAX_CHARS));
    }
}
