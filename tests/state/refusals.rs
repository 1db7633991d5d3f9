//! Files that `state import` refuses, each with the line of the fault.

use std::io::Write as _;

use test_support::store::{contents, directory};

use crate::exported::{Exported, changed, import, joined, replaced};
use crate::run::state;
use crate::states::BUSY;

const AGAIN: &str = "export again, and copy the file whole; nothing was imported";
const FOREIGN: &str = "this is not an export of nexmo-audit-exporter; `state export` writes files \
                       that can be imported; nothing was imported";
const CUT: &str = "the file ends before its last record, so it was cut off: export again; nothing \
                   was imported";

/// The name of a file, its text, and the line and the fault of the message.
type Refusal<'r> = (&'r str, String, usize, &'r str);

fn are_refused(exported: &Exported, cases: Vec<Refusal<'_>>) {
    for (name, text, line, fault) in cases {
        let expected = format!("DIR/export.jsonl:{line}: {fault}");
        assert_eq!(exported.complaint(&text), expected, "{name}");
        let state_is_there = exported.new_state().exists();
        if line == 1 {
            assert!(!state_is_there, "{name} has created a state");
        } else {
            let shown = state(&exported.new_state(), &["show"]).output();
            assert!(shown.contains("No account"), "{name}: {shown}");
        }
    }
}

#[test]
fn files_of_others_create_no_state() {
    let exported = Exported::new(BUSY);
    let text = &exported.text;
    let newer = format!(
        "the export has format 2, written by version {version}, and this version knows formats \
         up to 1: import it with version {version} or newer; nothing was imported",
        version = env!("CARGO_PKG_VERSION"),
    );
    let no_key = format!("the API key is empty, or has a character that no API key has: {AGAIN}");
    let of = |from: &str, to: &str| text.replacen(from, to, 1);
    let cases = vec![
        ("an empty file", String::new(), 1, FOREIGN),
        ("a text", "accounts: []\n".to_owned(), 1, FOREIGN),
        ("other JSON", "{\"id\":\"a\"}\n".to_owned(), 1, FOREIGN),
        ("no object", "[1]\n".to_owned(), 1, FOREIGN),
        (
            "another program",
            of("nexmo-audit-exporter", "other"),
            1,
            FOREIGN,
        ),
        ("no format", of(r#""export_format":1,"#, ""), 1, FOREIGN),
        (
            "a newer export",
            of(r#""export_format":1"#, r#""export_format":2"#),
            1,
            &newer,
        ),
        ("no API key", of(BUSY, "a:b"), 1, &no_key),
    ];
    are_refused(&exported, cases);
}

#[test]
fn files_that_were_cut_off() {
    let exported = Exported::new(BUSY);
    let text = &exported.text;
    let lines = text.lines().count();
    let last = text.trim_end().rfind('\n').expect("lines") + 1;
    let first = text.find('\n').expect("lines") + 1;
    let half = &text[..text.len() / 2];
    let cases = vec![
        ("the first line", text[..first].to_owned(), 2, CUT),
        (
            "half of the lines",
            half.to_owned(),
            half.lines().count(),
            CUT,
        ),
        ("all but the last line", text[..last].to_owned(), lines, CUT),
        (
            "half of the last line",
            text[..last + 20].to_owned(),
            lines,
            CUT,
        ),
    ];
    are_refused(&exported, cases);
    // The end of the last line is no loss.
    let file = exported.write(text.trim_end());
    import(&exported.new_state(), &file);
}

#[test]
fn records_that_are_there_twice_or_in_another_place() {
    let exported = Exported::new(BUSY);
    let text = &exported.text;
    let misplaced = format!("a record of this kind does not belong here: {AGAIN}");
    let repeated = format!("the record is there twice, or out of order: {AGAIN}");
    let without = |line: usize| changed(text, |lines| drop(lines.remove(line - 1)));
    let twice = |line: usize| changed(text, |lines| lines.insert(line, lines[line - 1].clone()));
    let swapped = |line: usize| changed(text, |lines| lines.swap(line - 1, line));
    let cases = vec![
        ("no progress", without(2), 2, &*misplaced),
        ("no gate", without(3), 3, &misplaced),
        ("two headers", twice(1), 2, &misplaced),
        ("progress twice", twice(2), 3, &misplaced),
        ("the gate twice", twice(3), 4, &misplaced),
        ("the gate after an id", swapped(3), 3, &misplaced),
        ("a counter after a line", swapped(11), 12, &misplaced),
        ("an id twice", twice(4), 5, &repeated),
        ("ids out of order", swapped(4), 5, &repeated),
        ("a series twice", twice(8), 9, &repeated),
        ("series out of order", swapped(8), 9, &repeated),
        ("a type twice", twice(10), 11, &repeated),
        ("a line twice", twice(12), 13, &repeated),
    ];
    are_refused(&exported, cases);
}

#[test]
fn files_that_were_changed() {
    let exported = Exported::new(BUSY);
    let text = &exported.text;
    let end = text.lines().count();
    let differs =
        format!("the file is not as it was written: its checksum or its numbers differ: {AGAIN}");
    let above = format!("3 events are published of 2 that were counted: {AGAIN}");
    let no_id = format!("the id is no UUID in lower case, or its time is no whole second: {AGAIN}");
    let scrapers = format!("the ids of the scrapers are no numbers, or out of order: {AGAIN}");
    let more = format!("there is more after the last record: {AGAIN}");
    let mut left_out: Vec<String> = text.lines().map(str::to_owned).collect();
    left_out.remove(3);
    let nothing = changed(text, |lines| lines.truncate(1));
    let scraper = "000000000000001a";
    let cases = vec![
        ("nothing between the ends", nothing, 2, &*differs),
        ("a record left out", joined(&left_out), end - 1, &differs),
        (
            "a digit",
            text.replacen(r#""total":2"#, r#""total":3"#, 1),
            end,
            &differs,
        ),
        (
            "the numbers",
            text.replacen(r#""ids":4"#, r#""ids":5"#, 1),
            end,
            &differs,
        ),
        (
            "a line behind the last",
            format!("{text}{{}}\n"),
            end + 1,
            &more,
        ),
        (
            "an empty line behind the last",
            format!("{text}\n"),
            end + 1,
            &more,
        ),
        (
            "more than was counted",
            replaced(text, 9, r#""published":1"#, r#""published":3"#),
            9,
            &above,
        ),
        (
            "an id that is none",
            replaced(text, 4, r#""id":""#, r#""id":"x"#),
            4,
            &no_id,
        ),
        (
            "a part of a second",
            replaced(text, 4, ":10Z", ":10.5Z"),
            4,
            &no_id,
        ),
        (
            "scrapers out of order",
            replaced(text, 3, scraper, "ffffffffffffffff"),
            3,
            &scrapers,
        ),
        (
            "a scraper without a number",
            replaced(text, 3, scraper, "x"),
            3,
            &scrapers,
        ),
    ];
    are_refused(&exported, cases);
}

/// A value that does not fit is not quoted: a line may hold personal data.
#[test]
fn records_that_are_none() {
    let exported = Exported::new(BUSY);
    let text = &exported.text;
    for (line, from, to) in [
        (2, "2026-11-20T00:01:30Z", "20260-11-20T00:01:30Z"),
        (2, "2026-11-20T00:01:30Z", "2026-11-31T00:01:30Z"),
        (2, r#""caught_up":true"#, r#""caught_up":ada@example.org"#),
        (4, r#""record":"id""#, r#""record":"ada@example.org""#),
        (8, r#""total":2"#, r#""total":"ada@example.org""#),
        (8, r#""total":2"#, r#""total":-2"#),
        (
            8,
            r#""first_value":"#,
            r#""ada@example.org":1,"first_value":"#,
        ),
    ] {
        let said = exported.complaint(&replaced(text, line, from, to));
        let expected =
            format!("DIR/export.jsonl:{line}: the line is no record of an export: {AGAIN}");
        assert_eq!(said, expected);
        assert!(!said.contains("ada"), "{said}");
    }
}

/// A file without an end of a line is not read into the memory whole.
#[test]
fn lines_that_are_longer_than_any_record() {
    let exported = Exported::new(BUSY);
    let header = exported.text.lines().next().expect("a line");
    let file = exported.write("");
    let mut out = std::fs::File::create(&file).expect("a file");
    writeln!(out, "{header}").expect("it can be written");
    let blank = vec![b' '; 1 << 16];
    for _ in 0..257 {
        out.write_all(&blank).expect("it can be written");
    }
    let done = state(
        &exported.new_state(),
        &["import", &file.display().to_string()],
    );
    let said = done.complaint(1, exported.folder.path());
    let expected = "DIR/export.jsonl:2: the line is longer than 16777216 bytes";
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let directory = directory();
    let path = directory.path();
    let new = path.join("new");
    let file = path.join("none").display().to_string();
    let said = state(&new, &["import", &file]).complaint(1, path);
    assert!(
        said.starts_with("DIR/none cannot be read: No such file"),
        "{said}"
    );
    let folder = path.display().to_string();
    let said = state(&new, &["import", &folder]).complaint(1, path);
    let expected = "DIR:1: the file cannot be read: Is a directory";
    assert!(said.starts_with(expected), "{said}");
    assert_eq!(contents(path).len(), 0);
}
