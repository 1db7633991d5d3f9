//! Answers that are large, whole and in parts.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::audit_event::{event, with};
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, is};
use test_support::program::Program;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, listing};

/// The most memory that the program takes with large pages, in mebibytes: a page of 16 MiB and
/// what is made of it. What was freed may stay with each of several threads.
const MOST_MEMORY: u64 = 160;
const PAGES: usize = 12;
const EVENTS_ON_A_PAGE: usize = 100;
const SETTINGS: &[&str] = &[
    "--poll.interval=10s",
    "--api.timeout=20s",
    "--log.level=info",
];
/// The longest time until large pages are read.
const READ: Duration = Duration::from_mins(2);

/// Returns the highest resident memory so far, in mebibytes.
fn peak_memory(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.id()));
    let status = status.expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") / 1024
}

/// Returns pages of 15 MB, each of whose events has a context of 150 kB.
fn large_pages() -> Vec<Value> {
    let note = "x".repeat(150_000);
    let numbers = 0..PAGES * EVENTS_ON_A_PAGE;
    let large = |number| {
        let small = event(&format!("event-{number}"), "LARGE");
        with(small, "context", json!({ "note": note }))
    };
    numbers.map(large).collect()
}

fn polling(more: &[&str]) -> Exporter {
    let all = large_pages();
    let pages = all.chunks(EVENTS_ON_A_PAGE);
    let total = json!(all.len());
    let pages = pages.map(|events| Answer::page(events, total.clone(), json!(PAGES)));
    let pages: Arc<[Answer]> = pages.collect();
    let api = ScriptedApi::start(listing(move |request| {
        let place = usize::try_from(request.page()).expect("a page") - 1;
        let beyond = || Answer::page(&[], total.clone(), json!(PAGES));
        pages.get(place).cloned().unwrap_or_else(beyond)
    }));
    let exporter = Exporter::polling_with(&api, &[SETTINGS, more].concat());
    let all = f64::from(u32::try_from(PAGES * EVENTS_ON_A_PAGE).expect("a number"));
    eventually("the first poll", READ, || {
        let counted = exporter.counted();
        is(all)(counted).then_some(()).ok_or(counted.to_string())
    });
    exporter
}

#[test]
fn large_pages_are_counted_one_after_the_other() {
    let exporter = polling(&[]);
    let peak = peak_memory(&exporter.program);
    assert!(peak < MOST_MEMORY, "{peak} MiB");
}

#[test]
fn lines_of_large_events_are_cut_and_do_not_wait_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.log");
    let log = format!("--events.log={}", path.display());
    let exporter = polling(&[&log, "--events.log-personal-data"]);
    let lines = eventually("all lines", READ, || {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let all = lines.len() == PAGES * EVENTS_ON_A_PAGE && text.ends_with('\n');
        all.then_some(lines).ok_or(text.len().to_string())
    });
    for line in lines {
        assert!(line.len() < 1000, "{}", line.len());
        let line: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(line["context"], json!({"left_out_bytes": 150_011}));
        assert_eq!(line["user_email"], "ada@example.org");
    }
    let said = exporter.program.lines();
    let said = said
        .iter()
        .filter(|line| line.contains("longer than the 64 KiB"));
    assert_eq!(said.count(), 1);
    let peak = peak_memory(&exporter.program);
    assert!(peak < MOST_MEMORY, "{peak} MiB");
}

#[test]
fn a_page_of_more_elements_than_any_page_has_is_refused_and_told() {
    let elements = format!("[{}]", vec!["{}"; 5_000_000].join(","));
    let body = format!(r#"{{"_embedded":{{"events":{elements}}},"page":{{}}}}"#);
    let api = ScriptedApi::start(listing(move |_| Answer::new(200, body.clone())));
    let exporter = Exporter::polling_with(&api, SETTINGS);
    let line = exporter
        .program
        .wait_for_line("more than 50000 elements on one page");
    assert!(line.contains("reason=body"), "{line}");
    let peak = peak_memory(&exporter.program);
    assert!(peak < MOST_MEMORY, "{peak} MiB");
}
