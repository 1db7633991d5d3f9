//! No test sleeps: a test waits for a condition by `test_support::eventually`, or runs
//! in a runtime whose clock it moves.

use std::fs;
use std::path::{Path, PathBuf};

use test_support::repository;

/// The folders that hold tests, benchmarks and what they share.
const FOLDERS: [&str; 5] = ["tests", "benches", "crates", "fuzz/targets", "src"];

/// The files that may sleep, and why.
const MAY_SLEEP: [(&str, &str); 3] = [
    (
        "crates/test-support/src/eventually.rs",
        "the time between two looks at a condition",
    ),
    (
        "crates/test-support/src/pacing.rs",
        "the pace of a load, and the moment of a kill",
    ),
    (
        "crates/test-support/src/scripted_answer.rs",
        "the pace of a body that comes a byte at a time",
    ),
];

#[test]
fn a_file_of_tests_that_sleeps_is_named_with_its_reason() {
    let mut sleeping = Vec::new();
    for folder in FOLDERS {
        add_sleeping(&repository(folder), &mut sleeping);
    }
    sleeping.sort();
    let permitted = MAY_SLEEP.map(|(file, _)| PathBuf::from(file));
    assert_eq!(
        sleeping, permitted,
        "left: files of tests that sleep; right: MAY_SLEEP. Wait for a condition by \
         `test_support::eventually` instead; delete a permission that no file uses."
    );
}

#[test]
fn every_way_to_sleep_is_found() {
    for text in [
        "thread::sleep(PAUSE);",
        "    tokio::time::sleep_until(end).await;",
        "use tokio::time::{advance, sleep};",
        "        sleep(PAUSE).await;",
        "shell.args([\"-c\", \"sleep 5\"]);",
        "thread::park_timeout(PAUSE);",
    ] {
        assert!(sleeps(text), "{text}");
    }
    for text in [
        "// The process may sleep.",
        "/// Returns once thread::sleep has ended.",
        "self.world.sleep(span).await;",
        "pub(crate) fn sleep_until(&self, end: Ms) -> Sleep {",
        "let asleep = true;",
    ] {
        assert!(!sleeps(text), "{text}");
    }
}

/// Adds the files below `folder` that hold tests and sleep, relative to the repository.
fn add_sleeping(folder: &Path, sleeping: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            add_sleeping(&path, sleeping);
            continue;
        }
        let file = path.strip_prefix(repository("")).expect("a file below");
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        if is_source && holds_tests(file) && !path.ends_with(file!()) {
            let text = fs::read_to_string(&path).expect("a source");
            if sleeps(&text) {
                sleeping.push(file.to_owned());
            }
        }
    }
}

/// Returns `true` unless the file is production code, which may sleep. The tests beside
/// production code are files of their own.
fn holds_tests(file: &Path) -> bool {
    let is_production = file.starts_with("src")
        || file.starts_with("crates")
            && !file.starts_with("crates/test-support")
            && !file.starts_with("crates/fuzz-properties");
    let is_test = |part| part == "tests" || part == "tests.rs";
    !is_production || file.iter().any(is_test)
}

/// Returns `true` if code sleeps. A method named `sleep` is one of a simulated clock.
fn sleeps(text: &str) -> bool {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(words).any(|(before, word)| {
        let is_method = before.ends_with('.') || before.ends_with("fn ");
        matches!(word, "sleep" | "sleep_until" | "sleep_ms" | "park_timeout") && !is_method
    })
}

/// Returns the words of a line, each with the text before it.
fn words(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    line.split(move |character| !is_word(character))
        .filter(|word| !word.is_empty())
        .map(|word| {
            let start = word.as_ptr().addr() - line.as_ptr().addr();
            (&line[..start], word)
        })
}
