//! Properties that hold of any input, one in each module: `holds` panics for an input
//! that breaks its property. The fuzzers of `fuzz` look for such an input; the test
//! `corpus` runs the inputs that were kept, without a fuzzer.

#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    reason = "each module documents its property, and a broken one panics"
)]

pub mod accept;
pub mod config;
pub mod event;
pub mod import;
pub mod page;
pub mod paging;
pub mod reload;
pub mod retry_after;
pub mod settings;
mod simulated_time;
pub mod state;
pub mod store;
pub mod types;
pub mod vendor_message;
pub mod web_config;
pub mod yaml;

use std::fmt::Debug;

use serde_json::value::RawValue;

/// Returns the text of a body, decoded as the client does.
fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// Splits the input into lines; the last line takes the rest.
fn lines<const N: usize>(data: &[u8]) -> [String; N] {
    let text = text(data);
    let mut lines = text.splitn(N, '\n').map(str::to_owned);
    std::array::from_fn(|_| lines.next().unwrap_or_default())
}

/// Returns `true` if a text is exactly one value of JSON.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Compares as `assert_eq` does, and names what was compared.
#[track_caller]
fn same<T: PartialEq + Debug>(what: &str, left: &T, right: &T) {
    assert!(left == right, "{what}:\n  {left:?}\n  {right:?}");
}

/// The bytes of an input in order, and 0 after the last.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn number(&mut self, bytes: usize) -> u64 {
        (0..bytes).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
