//! Runs a command of the program to its end.

use std::path::Path;
use std::process::Command;

use test_support::command_output::CommandOutput;
use test_support::program::command;

/// Runs `state` with these arguments on the state in `directory`.
pub(crate) fn state(directory: &Path, arguments: &[&str]) -> CommandOutput {
    CommandOutput::of(&mut prepared(directory, arguments))
}

/// Returns the command, to which a test can add.
pub(crate) fn prepared(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = command();
    command.arg("state").args(arguments);
    command.arg(format!("--storage.path={}", directory.display()));
    command
}
