//! Runs a command of the program to its end.

use std::process::Command;

use test_support::command_output::CommandOutput;
use test_support::program::command;

/// Runs the program with these arguments against the API at `base_url`.
pub(crate) fn run(base_url: &str, arguments: &[&str]) -> CommandOutput {
    CommandOutput::of(&mut prepared(base_url, arguments))
}

/// Returns the command, to which a test can add.
pub(crate) fn prepared(base_url: &str, arguments: &[&str]) -> Command {
    let mut command = command();
    command
        .args(arguments)
        .arg(format!("--api.base-url={base_url}"));
    command
}
