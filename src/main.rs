//! The `nexmo-audit-exporter` program: runs one command line and exits with its status.

use std::{io, process::ExitCode};

use exporter_web::inherited_sockets;
use nexmo_audit_exporter::cli;
use tokio::runtime::Runtime;

fn main() -> io::Result<ExitCode> {
    // Before there are threads, since it changes the environment.
    let sockets = inherited_sockets();
    let runtime = Runtime::new()?;
    let status = runtime.block_on(cli::run(std::env::args_os(), sockets));
    // The look-up of a name cannot be interrupted, and takes up to half a minute. The
    // program ends without waiting for it.
    runtime.shutdown_background();
    Ok(status)
}
