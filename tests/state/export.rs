//! `state export`: one account whole, or no file.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::AtomicBool;

use nexmo_audit_exporter::state::{Export, ExportError};
use nexmo_audit_exporter::store::StateReader;
use serde_json::{Value, json};
use test_support::store::{at, contents, directory, file_in};

use crate::run::{prepared, state};
use crate::states::{BUSY, READING, two_accounts, uuid};

fn export(directory: &Path, key: &str) -> String {
    let account = format!("--account={key}");
    state(directory, &["export", &account]).output()
}

fn records(export: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).expect("JSON");
    export.lines().map(read).collect()
}

#[test]
fn an_export_has_everything_that_is_stored_of_the_account() {
    let directory = directory();
    two_accounts(directory.path());
    let text = export(directory.path(), BUSY);
    let mut records = records(&text);
    for field in ["exported_at", "version"] {
        assert!(records[0][field].take().is_string());
    }
    let sum = records.last_mut().expect("a record")["sha256"].take();
    let before_end = text.trim_end().rfind('\n').expect("lines") + 1;
    assert_eq!(
        sum,
        json!(sha256_by_the_system(&text.as_bytes()[..before_end]))
    );
    assert_eq!(records, expected_records());
}

/// Returns the records of the busy account, without what differs from run to run.
fn expected_records() -> Vec<Value> {
    let late = "2026-11-20T00:01:00Z";
    let id = |time: &str, id: &str| json!({"record": "id", "time": time, "id": uuid(id)});
    let mut late_ids = ["2", "3", "4"].map(|number| id(late, number));
    late_ids.sort_by_key(|id| id["id"].to_string());
    let counter = |published: u64, event: &str| {
        let exemplar = json!({"event_id": event, "created_at": late});
        json!({
            "total": 2, "published": published,
            "first_value": if published > 0 { "seen" } else { "unseen" },
            "waits_since_nanoseconds": 815_000_000_000_u64, "exemplar": exemplar,
        })
    };
    let (deleted, login) = (counter(0, &uuid("3")), counter(1, "4"));
    let series = |event_type: &str, counter: &Value| {
        json!({
            "record": "series", "event_type": event_type, "source": "CD",
            "source_country": "GB", "counter": counter,
        })
    };
    let by_type = |event_type: &str, counter: &Value| json!({"record": "type", "event_type": event_type, "counter": counter});
    let line = |number: u64| {
        let text = format!(r#"{{"id":"{number}","event_type":"USER_LOGIN"}}"#);
        json!({"record": "line", "number": number, "text": text})
    };
    let scraper = |id: &str, interval: Option<u64>| {
        json!({
            "id": id, "product": "0000000000000007", "target": "0000000000000abc",
            "interval_nanoseconds": interval, "last_seen": "2026-11-20T00:01:20Z",
        })
    };
    let mut expected = vec![
        json!({
            "record": "export", "program": "nexmo-audit-exporter", "version": null,
            "export_format": 1, "state_format": 4, "exported_at": null, "api_key": BUSY,
        }),
        json!({
            "record": "account", "start": "2026-11-20T00:00:00Z",
            "began": "2026-11-20T00:00:00Z", "caught_up": true,
            "floor": "2026-11-20T00:00:00Z", "watermark": "2026-11-20T00:01:30Z",
            "newest": late, "gate_timeouts": 5,
        }),
        json!({
            "record": "gate", "was_scraped": true,
            "wait_time_nanoseconds": 1_000_000_000_000_u64,
            "stored_at": "2026-11-20T00:01:30Z",
            "scrapers": [
                scraper("000000000000001a", Some(15_000_000_000)),
                scraper("ffffffffffffffff", None),
            ],
        }),
        id("2026-11-20T00:00:10Z", "1"),
    ];
    expected.extend(late_ids);
    expected.extend([
        series("ACCOUNT_SECRET_DELETE", &deleted),
        series("USER_LOGIN", &login),
        by_type("ACCOUNT_SECRET_DELETE", &deleted),
        by_type("USER_LOGIN", &login),
        line(3),
        line(4),
        json!({"record": "end", "ids": 4, "series": 2, "types": 2, "lines": 2, "sha256": null}),
    ]);
    expected
}

/// A person can check an export by hand: `head -n -1 FILE | sha256sum`.
fn sha256_by_the_system(text: &[u8]) -> String {
    let mut program = std::process::Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum is a part of coreutils");
    let mut input = program.stdin.take().expect("a pipe");
    input.write_all(text).expect("it is read");
    drop(input);
    let output = program.wait_with_output().expect("it ends");
    let output = String::from_utf8(output.stdout).expect("text");
    output.split(' ').next().expect("a sum").to_owned()
}

#[test]
fn an_export_changes_nothing_and_says_what_it_has_written() {
    let directory = directory();
    let path = directory.path();
    two_accounts(path);
    let before = fs::read(file_in(path)).expect("the file");
    let file = path.join("busy.jsonl");
    let output = format!("--output={}", file.display());
    let account = format!("--account={BUSY}");
    let done = state(path, &["export", &account, &output]);
    assert_eq!(done.out, "");
    let expected = "the account with the API key busy… was exported: 4 ids, 2 series, 2 types, 2 \
                    lines of the event log; the lines may hold personal data";
    assert_eq!(done.complaint(0, path), expected);
    let mode = fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert_eq!(contents(path).len(), 2, "no temporary file is left");
    assert!(fs::read(file_in(path)).expect("the file") == before);

    fs::write(&file, "precious").expect("a file");
    let done = state(path, &["export", &account, &output]);
    let expected =
        "DIR/busy.jsonl is there already: choose another name, or replace it with --force";
    assert_eq!(done.complaint(1, path), expected);
    assert_eq!(fs::read_to_string(&file).expect("the file"), "precious");
    state(path, &["export", &account, &output, "--force"]).output();
    let text = fs::read_to_string(&file).expect("the file");
    assert_eq!(records(&text).len(), 14);
    assert_eq!(contents(path).len(), 2);
}

#[test]
fn an_account_is_named_where_there_are_several() {
    let directory = directory();
    let path = directory.path();
    two_accounts(path);
    let expected = "the configuration cannot be used:\n  --account must be the name or the API \
                    key of a stored account: busy…, read…";
    assert_eq!(state(path, &["export"]).complaint(2, path), expected);
    assert_eq!(export(path, READING).lines().count(), 4);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let directory = directory();
    let path = directory.path();
    two_accounts(path);
    let account = format!("--account={BUSY}");
    let output = format!("--output={}/none/x", path.display());
    let said = state(path, &["export", &account, &output]).complaint(1, path);
    assert!(
        said.starts_with("DIR/none/x cannot be written: No such file"),
        "{said}"
    );
    assert_eq!(said.matches("os error").count(), 1, "{said}");

    let folder = format!("--output={}", path.display());
    let done = state(path, &["export", &account, &folder, "--force"]);
    let expected = "DIR is no ordinary file: choose another name, or - for standard output";
    assert_eq!(done.complaint(1, path), expected);

    // A reader that leaves has not got the whole account.
    let mut command = prepared(path, &["export", &account]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command.stdout(writer).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("standard output cannot be written"), "{said}");
}

#[test]
fn an_interrupted_export_leaves_no_file() {
    let directory = directory();
    let path = directory.path();
    two_accounts(path);
    let reader = StateReader::open(path).expect("a state");
    let export = Export {
        state: &reader,
        api_key: BUSY,
        now: at(100),
        is_interrupted: &AtomicBool::new(true),
    };
    let error = export.write_file(&path.join("busy.jsonl"), false);
    assert!(matches!(error, Err(ExportError::Interrupted)), "{error:?}");
    assert_eq!(contents(path).len(), 1);
}
