//! Exports, and what becomes of them on their way.

use std::fs;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use tempfile::TempDir;
use test_support::store::directory;

use crate::run::state;
use crate::states::two_accounts;

/// A folder with a state of two accounts, and an export of one of them.
pub(crate) struct Exported {
    pub(crate) folder: TempDir,
    pub(crate) text: String,
}

impl Exported {
    pub(crate) fn new(key: &str) -> Self {
        let folder = directory();
        two_accounts(folder.path());
        let account = format!("--account={key}");
        let text = state(folder.path(), &["export", &account]).output();
        Self { folder, text }
    }

    pub(crate) fn write(&self, text: &str) -> PathBuf {
        let file = self.folder.path().join("export.jsonl");
        fs::write(&file, text).expect("a file");
        file
    }

    pub(crate) fn new_state(&self) -> PathBuf {
        self.folder.path().join("new")
    }

    /// Imports a text into a new state, and returns the complaint.
    pub(crate) fn complaint(&self, text: &str) -> String {
        let file = self.write(text);
        let done = state(&self.new_state(), &["import", &file.display().to_string()]);
        done.complaint(1, self.folder.path())
    }
}

pub(crate) fn joined(lines: &[String]) -> String {
    lines.join("\n") + "\n"
}

/// Returns the text with a last line that fits it.
fn sealed(lines: &[String], end: &str) -> String {
    let text = joined(lines);
    let sum = digest(&SHA256, text.as_bytes());
    let hex = |byte: &u8| format!("{byte:02x}");
    let sum: String = sum.as_ref().iter().map(hex).collect();
    let (before, _) = end.split_once(r#""sha256":""#).expect("a sum");
    format!("{text}{before}\"sha256\":\"{sum}\"}}\n")
}

/// Returns the text after a change of its lines, the last of which is made to fit.
pub(crate) fn changed(text: &str, change: impl FnOnce(&mut Vec<String>)) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let end = lines.pop().expect("a last line");
    change(&mut lines);
    sealed(&lines, &end)
}

pub(crate) fn replaced(text: &str, line: usize, from: &str, to: &str) -> String {
    changed(text, |lines| {
        assert!(lines[line - 1].contains(from), "{}", lines[line - 1]);
        lines[line - 1] = lines[line - 1].replace(from, to);
    })
}

/// Imports a file, and returns what the command says.
#[track_caller]
pub(crate) fn import(directory: &Path, file: &Path) -> String {
    let done = state(directory, &["import", &file.display().to_string()]);
    done.complaint(0, directory)
}
