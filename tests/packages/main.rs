//! The deliverables beside the program: the files in `packaging`, the image, and the
//! list of what they are made of.

mod archive;
mod command_line;
mod crates;
mod dashboards;
mod debian;
mod generated;
mod healthcheck;
mod help;
mod image;
mod kubernetes;
mod manual;
mod prometheus_rules;
mod release_build;
mod roots;
mod static_program;
mod supply_chain;
mod systemd;

use std::process::Command;
use std::time::Duration;

/// The longest that the program takes to end: the default of `--web.shutdown-timeout`, and
/// the answers in flight.
const LONGEST_STOP: Duration = Duration::from_secs(20 + 10);

/// Returns the standard output of a command, which must succeed.
fn output_of(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    said
}
