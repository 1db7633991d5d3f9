//! Tools that a test needs in addition to Rust's own. A test whose tool is missing is
//! skipped, and its name is noted.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use crate::repository;

/// The folder into which `make tools` installs.
const TOOLS: &str = "target/tools";

/// The list of skipped tests, which `make test` prints at its end.
const SKIPPED: &str = "target/skipped-tests.txt";

/// Returns the program of this name. Without the program the test is skipped, and fails
/// in CI.
pub fn require(program: &str) -> Option<PathBuf> {
    find_program(program).or_else(|| missing(program))
}

/// Returns a program that CI may lack. Without the program the test is skipped.
pub fn optional(program: &str) -> Option<PathBuf> {
    find_program(program).or_else(|| skip(program))
}

/// Returns the first of several programs that is installed. Without any of them the
/// test is skipped.
pub fn first_of(programs: &[&str]) -> Option<PathBuf> {
    let found = programs.iter().find_map(|program| find_program(program));
    found.or_else(|| skip(&programs.join(" or ")))
}

/// Checks for root, which alone may mount. Without root the test is skipped, and fails
/// in CI.
pub fn require_root() -> Option<()> {
    let id = Command::new("id").arg("-u").output().expect("id");
    if id.stdout == b"0\n" {
        Some(())
    } else {
        missing("root")
    }
}

/// Returns the folder of a package among the Node.js modules. Without the package the
/// test is skipped, and fails in CI.
pub fn require_node_module(package: &str) -> Option<PathBuf> {
    let folder = node_modules().join(package);
    if folder.is_dir() {
        Some(folder)
    } else {
        missing(package)
    }
}

/// Returns a folder that `make tools` makes. Without the folder the test is skipped, and
/// fails in CI.
pub fn require_folder(folder: &str) -> Option<PathBuf> {
    let path = repository(TOOLS).join(folder);
    if path.is_dir() {
        Some(path)
    } else {
        missing(folder)
    }
}

/// Returns the folder of the Node.js modules.
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

/// Notes the test that does not run.
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

/// Returns the name of the running test: nextest names it in a variable, and under
/// `cargo test` it is the name of the thread.
fn test_name() -> String {
    env::var("NEXTEST_TEST_NAME")
        .ok()
        .or_else(|| thread::current().name().map(str::to_owned))
        .unwrap_or_else(|| "a test".to_owned())
}
