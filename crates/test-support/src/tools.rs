//! Tools that a test needs beside Rust's own: present, or the test is skipped by name.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use crate::repository;

/// Where `make tools` puts what it installs.
const TOOLS: &str = "target/tools";

/// Read by `make test`, which prints it at its end.
const SKIPPED: &str = "target/skipped-tests.txt";

/// The program of that name. Without it the test is skipped, and fails in CI.
pub fn require(program: &str) -> Option<PathBuf> {
    find_program(program).or_else(|| missing(program))
}

/// A program that even CI cannot count on. Without it the test is skipped.
pub fn optional(program: &str) -> Option<PathBuf> {
    find_program(program).or_else(|| skip(program))
}

/// The first of several programs that is there. Without any it is as with
/// [`optional`].
pub fn first_of(programs: &[&str]) -> Option<PathBuf> {
    let found = programs.iter().find_map(|program| find_program(program));
    found.or_else(|| skip(&programs.join(" or ")))
}

/// Root, who alone may mount. Without it as with [`require`].
pub fn require_root() -> Option<()> {
    let id = Command::new("id").arg("-u").output().expect("id");
    if id.stdout == b"0\n" {
        Some(())
    } else {
        missing("root")
    }
}

/// A package's folder among the Node.js modules. Without it as with [`require`].
pub fn require_node_module(package: &str) -> Option<PathBuf> {
    let folder = node_modules().join(package);
    if folder.is_dir() {
        Some(folder)
    } else {
        missing(package)
    }
}

/// The folder to look for Node.js modules in.
pub fn node_modules() -> PathBuf {
    repository(TOOLS).join("node/node_modules")
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let installed = repository(TOOLS).join("bin");
    std::iter::once(installed)
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

fn missing<T>(tool: &str) -> Option<T> {
    assert!(
        env::var_os("CI").is_none(),
        "{tool} is missing, and CI skips no test: run `make tools`"
    );
    skip(tool)
}

/// Leaves word of the test that does not run.
fn skip<T>(tool: &str) -> Option<T> {
    let line = format!("SKIPPED {}: {tool} (run `make tools`)\n", test_name());
    let _ = std::io::stderr().write_all(line.as_bytes());
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(repository(SKIPPED))
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("the list of skipped tests can be written");
    None
}

/// nextest says it; under `cargo test` the thread bears it.
fn test_name() -> String {
    env::var("NEXTEST_TEST_NAME")
        .ok()
        .or_else(|| thread::current().name().map(str::to_owned))
        .unwrap_or_else(|| "a test".to_owned())
}
