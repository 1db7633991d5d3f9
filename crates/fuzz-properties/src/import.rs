//! An export whose lines were changed: it is refused without a panic, and leaves nothing
//! behind; or it is taken in, and the account that is stored then is the same once more
//! when it is exported and taken in again.

use std::sync::atomic::AtomicBool;

use nexmo_audit_exporter::{
    state::{Export, import},
    store::{Imported, StateReader},
};
use once_cell::sync::Lazy;
use ring::digest::{SHA256, digest};
use test_support::store::{KEY, at, history_in};

use crate::{Bytes, store::folder};

const MAX_CHANGES: usize = 6;
/// Values that are written into lines.
const VALUES: [&str; 12] = [
    "null",
    "0",
    "-1",
    "18446744073709551615",
    "1e99",
    "\"\"",
    "\"\\ud800\"",
    "{}",
    "[]",
    "true",
    "\"9999-12-30T22:00:00Z\"",
    "\"-009999-01-02T01:59:59Z\"",
];

/// The lines of an export, all kinds of records among them, without the last.
static BASE: Lazy<Vec<Vec<u8>>> = Lazy::new(|| {
    let directory = folder();
    history_in(directory.path(), 3);
    let state = StateReader::open(directory.path()).expect("a state");
    let mut lines = lines(&exported(&state));
    lines.pop();
    let record = br#"{"record":"line","number":1,"text":"{}"}"#;
    lines.push(record.to_vec());
    lines
});

pub fn holds(data: &[u8]) {
    let directory = folder();
    // Without a checksum hardly any input would come further than the last line.
    let mut bytes = Bytes(data);
    let is_sealed = bytes.byte() > 0;
    let mut lines = BASE.clone();
    for _ in 0..MAX_CHANGES {
        if bytes.is_empty() || lines.is_empty() {
            break;
        }
        change(&mut lines, &mut bytes);
    }
    let text = if is_sealed {
        sealed(&lines)
    } else {
        data.to_vec()
    };
    let imported = import(directory.path(), &*text, "FILE", Some(KEY));
    let Ok(state) = StateReader::open(directory.path()) else {
        assert!(imported.is_err(), "there is no state after an import");
        return;
    };
    let keys = state.api_keys().expect("the state can be read");
    if imported.is_err() {
        assert!(keys.is_empty(), "a refused account was stored");
        return;
    }
    assert_eq!(keys, [KEY]);
    let again = exported(&state);
    drop(state);
    let outcome = import(directory.path(), &*again, "FILE", None);
    let outcome = outcome.expect("an export can be imported").outcome;
    assert_eq!(outcome, Imported::Unchanged);
}

fn exported(state: &StateReader) -> Vec<u8> {
    let mut text = Vec::new();
    let export = Export {
        state,
        api_key: KEY,
        now: at(0),
        is_interrupted: &AtomicBool::new(false),
    };
    export.write_to(&mut text).expect("it is exported");
    text
}

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// Changes a line, or the order of the lines.
fn change(lines: &mut Vec<Vec<u8>>, bytes: &mut Bytes<'_>) {
    let kind = bytes.byte() % 6;
    let line = usize::from(bytes.byte()) % lines.len();
    match kind {
        0 => drop(lines.remove(line)),
        1 => lines.insert(line, lines[line].clone()),
        2 => {
            let next = (line + 1) % lines.len();
            lines.swap(line, next);
        }
        3 => replace_value(&mut lines[line], bytes),
        4 => {
            let place = usize::from(bytes.byte()) % (lines[line].len() + 1);
            lines[line].insert(place, bytes.byte());
        }
        _ => {
            let place = usize::from(bytes.byte()) % (lines[line].len() + 1);
            lines[line].truncate(place);
        }
    }
}

/// Replaces the value after one of the colons of a line.
fn replace_value(line: &mut Vec<u8>, bytes: &mut Bytes<'_>) {
    let colons: Vec<usize> = (1..line.len())
        .filter(|place| line[place - 1..=*place] == *b"\":")
        .collect();
    let value = VALUES[usize::from(bytes.byte()) % VALUES.len()];
    let Some(colon) = colons.get(usize::from(bytes.byte()) % colons.len().max(1)) else {
        return;
    };
    let start = colon + 1;
    let length = line[start..].iter().position(|byte| b",}".contains(byte));
    let end = length.map_or(line.len(), |length| start + length);
    line.splice(start..end, value.bytes());
}

/// Returns the text with a last line that fits the others.
fn sealed(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let number = |kind: &str| {
        let begins = format!(r#"{{"record":"{kind}""#);
        let all = lines.iter();
        all.filter(|line| line.starts_with(begins.as_bytes()))
            .count()
    };
    let sum = digest(&SHA256, &text);
    let hex = |byte: &u8| format!("{byte:02x}");
    let end = serde_json::json!({
        "record": "end", "ids": number("id"), "series": number("series"),
        "types": number("type"), "lines": number("line"),
        "sha256": sum.as_ref().iter().map(hex).collect::<String>(),
    });
    text.extend_from_slice(end.to_string().as_bytes());
    text.push(b'\n');
    text
}
