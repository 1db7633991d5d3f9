//! The `nexmo-audit-exporter` program: parses, logs, runs a command, exits.

use std::{io, process::ExitCode};

use nexmo_audit_exporter::cli;
use tokio::runtime::Runtime;

fn main() -> io::Result<ExitCode> {
    let runtime = Runtime::new()?;
    let status = runtime.block_on(cli::run(std::env::args_os()));
    // The system cannot be told to give up looking up a name, which takes up to
    // half a minute: the end does not wait for it.
    runtime.shutdown_background();
    Ok(status)
}
