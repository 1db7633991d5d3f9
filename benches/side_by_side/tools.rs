//! The programs that `benches/install.sh` installs.

use std::{path::PathBuf, process::Command};

use test_support::repository;

const PEERS: &str = "target/tools/peers";
/// The folder of the scripts among the peers.
const SCRIPTS: &str = "benches/peers";

/// Returns the path of an installed program.
pub(crate) fn program(name: &str) -> PathBuf {
    installed(&format!("bin/{name}"))
}

/// Returns the path of Python with its client library.
pub(crate) fn python() -> PathBuf {
    installed("python/bin/python3")
}

/// Returns the folder of the Node.js modules.
pub(crate) fn node_modules() -> PathBuf {
    installed("node/node_modules")
}

/// Returns the path of a script.
pub(crate) fn script(name: &str) -> PathBuf {
    repository(SCRIPTS).join(name)
}

/// Returns the first line with a digit of what a program says of its version, on either
/// output.
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
