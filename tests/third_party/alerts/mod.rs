//! The alerting rules: promtool runs their tests, and one alert goes the whole way.

mod alertmanager;
mod delivery;
mod quiet_api;
mod receiver;
mod time_to_alarm;
mod victoria_metrics;
mod vmalert;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, thread};

use test_support::repository;
use test_support::tools;

const FOLDER: &str = "dashboards/prometheus";

/// Returns the files of a folder, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let found = fs::read_dir(repository(FOLDER).join(folder)).expect("the folder");
    let mut files: Vec<_> = found.map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Runs promtool over each file of tests, and over the rules.
fn hold_under(promtool: &Path) {
    run(promtool, "check", &files("rules"));
    thread::scope(|scope| {
        for test in files("tests") {
            scope.spawn(move || run(promtool, "test", &[test]));
        }
    });
}

fn run(promtool: &Path, verb: &str, files: &[PathBuf]) {
    let output = Command::new(promtool)
        .args([verb, "rules"])
        .args(files)
        .output()
        .expect("promtool starts");
    assert!(
        output.status.success(),
        "promtool {verb} rules {files:?}:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn hold_under_release_2_42() {
    if let Some(promtool) = tools::require("promtool") {
        hold_under(&promtool);
    }
}

#[test]
fn hold_under_release_2_53() {
    if let Some(promtool) = tools::optional("promtool-2.53") {
        hold_under(&promtool);
    }
}

#[test]
fn hold_under_release_3() {
    if let Some(promtool) = tools::optional("promtool-3") {
        hold_under(&promtool);
    }
}
