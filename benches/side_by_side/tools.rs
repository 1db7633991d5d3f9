//! Where `benches/install.sh` has put what it installs.

use std::{path::PathBuf, process::Command};

use test_support::repository;

const PEERS: &str = "target/tools/peers";
/// The scripts that are peers.
const SCRIPTS: &str = "benches/peers";

/// An installed program.
pub(crate) fn program(name: &str) -> PathBuf {
    installed(&format!("bin/{name}"))
}

/// Python with its client.
pub(crate) fn python() -> PathBuf {
    installed("python/bin/python3")
}

/// The folder to look for Node.js modules in.
pub(crate) fn node_modules() -> PathBuf {
    installed("node/node_modules")
}

/// One of the scripts beside this benchmark.
pub(crate) fn script(name: &str) -> PathBuf {
    repository(SCRIPTS).join(name)
}

/// The first line that holds a digit of what a program says of its version, on
/// either output.
pub(crate) fn version(program: &PathBuf, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let line = said
        .lines()
        .find(|line| line.contains(|c: char| c.is_ascii_digit()));
    line.unwrap_or_default().trim().to_owned()
}

fn installed(path: &str) -> PathBuf {
    let path = repository(PEERS).join(path);
    assert!(
        path.exists(),
        "{} is missing: run `bash benches/install.sh`",
        path.display()
    );
    path
}
