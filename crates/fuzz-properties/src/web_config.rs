//! A web configuration file: no problem of the file shows a value, and the exporter can
//! serve with a file that it accepts.

use std::path::Path;

use exporter_web::settings::{ClientCertificates, PasswordHash, Pem, TlsSettings, WebSettings};
use yaml_tree::{self, YamlEntry, YamlNode, YamlValue};

use crate::{same, text};

/// A hash of no known password.
const HASH: &str = "$2y$04$4Y7pW1eBfxKHPwxdvkUD9OwAPdRWpyRrj1RkZOSV7NQk5HFBL.H3S";
/// The salt of the hash, which appears nowhere else.
const SECRET: &str = "4Y7pW1eBfxKHPwxdvkUD9O";
const HEADERS: [&str; 5] = [
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
];

pub fn holds(data: &[u8]) {
    // A sign in the input stands for a hash, so that the hash can be recognized.
    let file = text(data).replace(": $", &format!(": {HASH}"));
    let read = WebSettings::parse(&file, Path::new("/etc/exporter"));
    let again = WebSettings::parse(&file, Path::new("/etc/exporter"));
    match (&read, &again) {
        (Ok(settings), Ok(again)) => {
            same("users", &settings.users, &again.users);
            same("headers", &settings.headers, &again.headers);
            same("rate limit", &settings.rate_limit, &again.rate_limit);
            same("all", &format!("{settings:?}"), &format!("{again:?}"));
            can_be_served_with(settings, &file);
        }
        (Err(problems), Err(again)) => {
            same("problems", problems, again);
            assert!(!problems.is_empty() && problems.is_sorted());
            let said: String = problems.iter().map(ToString::to_string).collect();
            assert!(!said.contains(['\n', '\r']), "{said:?}");
            assert!(!said.contains(SECRET) || is_in_a_key(&file), "{said}");
        }
        _ => panic!("{read:?}, and then {again:?}"),
    }
}

fn can_be_served_with(settings: &WebSettings, file: &str) {
    for (user, hash) in &settings.users {
        assert!(!user.contains(':'), "{user:?}");
        is_a_hash(hash);
    }
    for (name, value) in &settings.headers {
        assert!(HEADERS.contains(name), "{name}");
        let fits = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        assert!(fits && !value.is_empty(), "{name}: {value:?}");
    }
    if let Some(limit) = settings.rate_limit {
        assert!(!limit.interval.is_zero());
    }
    if let Some(tls) = &settings.tls {
        speaks_what_is_allowed(tls, file);
        hides_keys(tls);
    }
}

fn is_a_hash(hash: &PasswordHash) {
    assert!((4..=18).contains(&hash.cost()), "{hash:?}");
    let cost = format!("${:02}$", hash.cost());
    assert!(hash.as_str().contains(&cost), "{hash:?}");
    assert!(!format!("{hash:?}").contains(hash.as_str()));
}

fn speaks_what_is_allowed(tls: &TlsSettings, file: &str) {
    let number = |text: &str| match text {
        "TLS12" => 0x0303,
        "TLS13" => 0x0304,
        other => panic!("{other:?} was taken for a version"),
    };
    let said = |key, otherwise| match said(file, key) {
        text if text.is_empty() => otherwise,
        text => number(&text),
    };
    let (oldest, newest) = (said("min_version", 0x0303), said("max_version", 0x0304));
    assert!(oldest <= newest, "{oldest:x} to {newest:x}");
    let spoken: Vec<_> = tls
        .versions
        .iter()
        .map(|version| u16::from(version.version))
        .collect();
    assert!(!spoken.is_empty() && !tls.curves.is_empty());
    assert!(spoken.is_sorted_by(|newer, older| newer > older));
    for (version, number) in tls.versions.iter().zip(spoken) {
        assert!((oldest..=newest).contains(&number), "{number:x}");
        let mut suites = tls.cipher_suites.iter();
        let has_a_suite = suites.any(|suite| suite.version() == *version);
        assert!(has_a_suite, "no suite for {number:x}");
    }
}

fn hides_keys(tls: &TlsSettings) {
    let authority = match &tls.clients {
        ClientCertificates::Verified { authority, .. } => Some(authority),
        _ => None,
    };
    for pem in [&tls.certificate, &tls.key].into_iter().chain(authority) {
        if let Pem::Inline(_) = pem {
            assert_eq!(format!("{pem:?}"), "Inline(..)");
        }
    }
}

/// Returns what an accepted file says for a key of the section on TLS.
fn said(file: &str, key: &str) -> String {
    let document = yaml_tree::parse(file).expect("YAML");
    let find = |entries: &[YamlEntry], key: &str| -> Option<YamlEntry> {
        entries.iter().find(|entry| entry.key == key).cloned()
    };
    let section = find(&document, "tls_server_config").expect("TLS");
    let setting = find(section.map().expect("a section"), key);
    setting.map_or_else(String::new, |entry| entry.text().expect("text").to_owned())
}

/// Returns the keys of a file, which a problem may show.
fn is_in_a_key(file: &str) -> bool {
    match yaml_tree::parse(file) {
        Ok(document) => document.iter().any(shows),
        // The YAML reader shows only a key that is given twice.
        Err(error) => error.problem.contains("is given again"),
    }
}

fn shows(entry: &YamlEntry) -> bool {
    entry.key.contains(SECRET) || holds_a_key_that_shows(&entry.node)
}

fn holds_a_key_that_shows(node: &YamlNode) -> bool {
    match &node.value {
        YamlValue::Null | YamlValue::Scalar { .. } => false,
        YamlValue::List(nodes) => nodes.iter().any(holds_a_key_that_shows),
        YamlValue::Map(entries) => entries.iter().any(shows),
    }
}
