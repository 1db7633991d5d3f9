//! The `nexmo-audit-exporter` program: runs one command line and exits with its status.

use std::{io, process::ExitCode};

use nexmo_audit_exporter::cli;
use tokio::runtime::Runtime;

fn main() -> io::Result<ExitCode> {
    let runtime = Runtime::new()?;
    let status = runtime.block_on(cli::run(std::env::args_os()));
    // The look-up of a name cannot be interrupted, and takes up to half a minute. The
    // program ends without waiting for it.
    runtime.shutdown_background();
    Ok(status)
}
