//! The secrets and personal data that are searched for, in every form that a program
//! may write.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use test_support::audit_event::PERSONAL;
use test_support::program::API_KEY;
use url::form_urlencoded::byte_serialize;

/// A secret with characters that JSON, URLs and logfmt each escape.
pub(crate) const SECRET: &str = "sword/fish+\"Q7%z";
/// The password of a proxy on the way to the API.
pub(crate) const PROXY_PASSWORD: &str = "proxy-swordfish-8861";
/// The password of a visitor of the exporter's pages.
pub(crate) const VISITOR_PASSWORD: &str = "visitor-swordfish-4417";

/// The secret of an account that the API rejects.
pub(crate) const REJECTED_SECRET: &str = "rejected/swordfish+3306";

/// Returns the hash of the visitor's password as in the configuration, which is always
/// the same.
pub(crate) fn visitor_hash() -> String {
    let parts = bcrypt::hash_with_salt(VISITOR_PASSWORD, 4, *b"salt of the test");
    parts.expect("a hash").to_string()
}

/// A text that the program must not show.
pub(crate) struct Needle {
    pub(crate) text: String,
    forms: Vec<(&'static str, String)>,
}

/// Returns all secrets, and the personal data of `test_support::audit_event`.
pub(crate) fn all() -> Vec<Needle> {
    let secrets = [SECRET, REJECTED_SECRET, PROXY_PASSWORD, VISITOR_PASSWORD].map(str::to_owned);
    let hash = visitor_hash();
    // The end of the hash without the salt is enough to guess at the password.
    let hashes = [hash[hash.len() - 31..].to_owned(), hash];
    let basic = format!("{API_KEY}:{SECRET}");
    let personal = PERSONAL.map(str::to_owned);
    let texts = secrets
        .into_iter()
        .chain(hashes)
        .chain([basic])
        .chain(personal);
    texts.map(Needle::new).collect()
}

impl Needle {
    pub(crate) fn new(text: String) -> Self {
        let bytes = text.as_bytes();
        let in_url: String = byte_serialize(bytes).collect();
        let json = serde_json::Value::from(&*text).to_string();
        let debug = format!("{text:?}");
        let hex = |digit: fn(&u8) -> String| bytes.iter().map(digit).collect::<String>();
        let mut forms = vec![
            ("as it is", one_by_one(bytes)),
            ("reversed", text.chars().rev().collect()),
            ("in JSON", json[1..json.len() - 1].to_owned()),
            // A string of JSON can be quoted within a line of logfmt or JSON.
            ("in JSON in quotes", twice_escaped(&json)),
            ("in quotes", debug[1..debug.len() - 1].to_owned()),
            ("in HTML", in_html(&text)),
            ("in a URL", in_url.replace('+', "%20")),
            ("in a form", in_url),
            ("all percent", hex(|byte| format!("%{byte:02X}"))),
            ("hex", hex(|byte| format!("{byte:02x}"))),
            ("HEX", hex(|byte| format!("{byte:02X}"))),
            ("decimal", decimal(bytes)),
            ("UTF-16LE", utf_16(&text, u16::to_le_bytes)),
            ("UTF-16BE", utf_16(&text, u16::to_be_bytes)),
        ];
        for offset in 0..3 {
            let [standard, for_urls] = inside_base64(bytes, offset);
            forms.extend([("base64", standard), ("base64 for URLs", for_urls)]);
        }
        if let Ok(number) = text.parse::<u64>() {
            forms.push(("little-endian", one_by_one(&number.to_le_bytes())));
            forms.push(("big-endian", one_by_one(&number.to_be_bytes())));
        }
        Self { text, forms }
    }

    /// Returns the first form that `haystack` holds.
    pub(crate) fn form_in(&self, haystack: &Haystack) -> Option<&'static str> {
        let mut forms = self.forms.iter();
        let found = forms.find(|(_, form)| haystack.0.contains(form))?;
        Some(found.0)
    }
}

/// Bytes as a text with one character for each byte, so that any bytes can be searched
/// for.
pub(crate) struct Haystack(String);

impl Haystack {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(one_by_one(bytes))
    }
}

fn one_by_one(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn twice_escaped(json: &str) -> String {
    let twice = serde_json::Value::from(json).to_string();
    // The quotes of both escapes are left out.
    twice[3..twice.len() - 3].to_owned()
}

fn in_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;")
}

/// Returns the bytes as a list is printed for debugging.
fn decimal(bytes: &[u8]) -> String {
    let numbers: Vec<_> = bytes.iter().map(ToString::to_string).collect();
    numbers.join(", ")
}

fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> String {
    let units: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
    one_by_one(&units)
}

/// Returns the part of base64 that depends on `bytes` only, when they follow `offset`
/// other bytes.
fn inside_base64(bytes: &[u8], offset: usize) -> [String; 2] {
    let shifted = [&[0; 2][..offset], bytes].concat();
    let from = (offset * 8).div_ceil(6);
    let to = shifted.len() * 8 / 6;
    [
        STANDARD_NO_PAD.encode(&shifted),
        URL_SAFE_NO_PAD.encode(&shifted),
    ]
    .map(|encoded| encoded[from..to].to_owned())
}

/// Each form of each text is found where it is.
#[test]
fn a_private_text_is_found_in_every_form() {
    for needle in all() {
        let text = &needle.text;
        let within = format!("x{text}yz");
        let json = serde_json::json!({ "in": text }).to_string();
        let json = serde_json::json!({ "quoted": json });
        let haystacks = [
            within.clone().into_bytes(),
            serde_json::Value::from(&*within).to_string().into_bytes(),
            json.to_string().into_bytes(),
            format!("{within:?}").into_bytes(),
            format!("{:?}", within.as_bytes()).into_bytes(),
            STANDARD.encode(&within).into_bytes(),
            STANDARD.encode(format!("x{within}")).into_bytes(),
            STANDARD.encode(format!("xx{within}")).into_bytes(),
            URL_SAFE_NO_PAD.encode(&within).into_bytes(),
            byte_serialize(within.as_bytes())
                .collect::<String>()
                .into_bytes(),
            within.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            within.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            within
                .bytes()
                .flat_map(|byte| format!("{byte:02x}").into_bytes())
                .collect(),
        ];
        for bytes in haystacks {
            let found = needle.form_in(&Haystack::new(&bytes));
            assert!(
                found.is_some(),
                "{text} in {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
        assert_eq!(
            needle.form_in(&Haystack::new(&within.as_bytes()[..text.len()])),
            None
        );
    }
}
