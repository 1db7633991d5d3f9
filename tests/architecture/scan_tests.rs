//! The scan itself: it has to see what is there, and nothing else.

use super::{Source, forbidden_imports, impure_paths};

fn forbidden(file: &str, text: &str) -> Vec<String> {
    let source = Source::new(file, text);
    let imports = forbidden_imports(&source);
    let names = imports.iter().filter_map(|line| line.split("-> ").nth(1));
    names.map(ToOwned::to_owned).collect()
}

fn impure(text: &str) -> Vec<String> {
    let found = impure_paths(&Source::new("window/mod.rs", text));
    let names = found.iter().filter_map(|line| line.split(": ").nth(1));
    names.map(ToOwned::to_owned).collect()
}

#[test]
fn every_way_to_name_a_module_is_seen() {
    let cases: [(&str, &str, &[&str]); 14] = [
        (
            "event/mod.rs",
            "use audit_core::window::Window;",
            &["window"],
        ),
        (
            "event/mod.rs",
            "fn f() { audit_core::window::f(); }",
            &["window"],
        ),
        (
            "event/mod.rs",
            "use crate::{event::A, ledger, store::{B, C}};",
            &["ledger", "store"],
        ),
        ("event/mod.rs", "pub use crate::window as w;", &["window"]),
        ("event/mod.rs", "use\n  crate ::\n  window;", &["window"]),
        ("event/mod.rs", "use super::window;", &["window"]),
        (
            "event/page.rs",
            "use super::super::{window::A};",
            &["window"],
        ),
        (
            "event/page.rs",
            "use super::{super::ledger::B, window};",
            &["ledger"],
        ),
        (
            "event/page/deep.rs",
            "use super::super::super::window;",
            &["window"],
        ),
        ("account.rs", "use super::client::Client;", &["client"]),
        ("event.rs", "use crate::*;", &["*"]),
        (
            "server/mod.rs",
            "use crate::{account::A, exposition::B};",
            &["account"],
        ),
        (
            "event/mod.rs",
            "impl From<audit_core::window::A> for B {}",
            &["window"],
        ),
        (
            "event/mod.rs",
            "struct A<'a>(&'a audit_core::window::A, char);",
            &["window"],
        ),
    ];
    for (file, text, expected) in cases {
        assert_eq!(forbidden(file, text), expected, "{file}: {text}");
    }
}

#[test]
fn what_is_allowed_or_no_import_is_not() {
    let cases = [
        (
            "window/mod.rs",
            "use audit_core::event::EventId; use audit_core::window::sweep;",
        ),
        (
            "window/sweep.rs",
            "use super::Window; use self::store::A; use std::{fs, store};",
        ),
        ("event/page.rs", "use super::window::A;"),
        (
            "event/mod.rs",
            "// use crate::window;\n/* crate::window */ /// crate::window",
        ),
        (
            "event/mod.rs",
            r##"const A: &str = "crate::window"; const B: &str = r#"" crate::window"#;"##,
        ),
        (
            "event/mod.rs",
            r"const A: [char; 2] = ['\'', '\u{41}']; // crate::window",
        ),
        (
            "event/mod.rs",
            "#[cfg(test)]\nmod tests { mod a {} use crate::window; }",
        ),
        (
            "event/mod.rs",
            "#[cfg(test)] use crate::window; #[cfg(test)]\nmod tests;",
        ),
        ("app/mod.rs", "use crate::{store, server};"),
        ("main.rs", "use nexmo_audit_exporter::{app, cli};"),
        (
            "event/mod.rs",
            "pub(crate) struct A; pub(in crate::event) struct B;",
        ),
    ];
    for (file, text) in cases {
        assert!(forbidden(file, text).is_empty(), "{file}: {text}");
    }
}

#[test]
fn after_what_is_left_out_the_scan_goes_on() {
    let cases = [
        "#[cfg(test)] mod tests { fn f() { } } use crate::window;",
        "#[cfg(test)] use crate::ledger; use crate::window;",
        r#"const A: &str = "\"{"; use crate::window;"#,
        r##"const A: &[u8] = br#"""#; use crate::window;"##,
        "const A: char = '\"'; use crate::window; // '\"'",
        "fn f<'a>(a: &'a str) {} /* { */ use crate::window;",
    ];
    for text in cases {
        assert_eq!(forbidden("event/mod.rs", text), ["window"], "{text}");
    }
}

#[test]
fn every_way_to_name_the_world_outside_is_seen() {
    let cases: [(&str, &[&str]); 9] = [
        ("use tokio::time;", &["tokio"]),
        (
            "use std::{collections::HashMap, fs::{self, File}};",
            &["std::fs"],
        ),
        ("use std::time::{Duration, Instant};", &["Instant"]),
        ("let now = std::time::SystemTime::now();", &["SystemTime"]),
        ("let now = jiff::Timestamp::now();", &["Timestamp::now"]),
        ("let now = Timestamp::now();", &["Timestamp::now"]),
        ("std::env::var(\"A\")", &["std::env"]),
        ("use std::net; use hyper::body;", &["hyper", "std::net"]),
        (
            "use std::time::Duration; env!(\"A\"); let fs = Instantly::now();",
            &[],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(impure(text), expected, "{text}");
    }
}
