//! An error of the vendor that quotes the secret: the message that the exporter makes
//! of it never shows the secret, in whatever form the vendor quotes it. The first line
//! of the input is the secret.

use nexmo_audit_exporter::api::VendorMessage;
use serde_json::json;

use crate::lines;

const KEY: &str = "abcd1234";

pub fn holds(data: &[u8]) {
    let [secret, words] = lines(data);
    let as_it_is = shown(words.as_bytes(), &secret);
    no_line_breaks(&as_it_is);
    let hidden = printable(&secret);
    // A short secret may be a part of its replacement or of ordinary words.
    if hidden.chars().count() < 8 || hidden.contains(['[', '<', '\u{fffd}']) {
        return;
    }
    let in_json = serde_json::Value::from(&*hidden).to_string();
    for form in [&*secret, &*in_json, &*hidden] {
        let message = match words.split_once('\n') {
            Some((before, after)) => format!("{before}{form}{after}"),
            None => format!("{form}{words}"),
        };
        let body = json!({"status": 401, "message": message}).to_string();
        let shown = shown(body.as_bytes(), &secret);
        no_line_breaks(&shown);
        assert!(
            !words_of(&shown).contains(&hidden),
            "{hidden:?} is in {shown}"
        );
    }
}

fn shown(body: &[u8], secret: &str) -> String {
    VendorMessage::read(body, KEY, secret).to_string()
}

/// Returns a secret without the quotes of its debug form.
fn words_of(shown: &str) -> String {
    let quoted = shown
        .strip_prefix(": \"")
        .and_then(|rest| rest.strip_suffix('"'));
    let mut characters = quoted.unwrap_or_default().chars();
    let mut words = String::new();
    while let Some(character) = characters.next() {
        let escaped = (character == '\\').then(|| characters.next()).flatten();
        words.push(escaped.unwrap_or(character));
    }
    words
}

fn no_line_breaks(shown: &str) {
    assert!(!shown.contains(char::is_control), "{shown:?}");
}

fn printable(secret: &str) -> String {
    secret.chars().filter(|c| !c.is_control()).collect()
}
