//! The `nexmo-audit-exporter` program: parses, logs, runs a command, exits.

use std::process::ExitCode;

use nexmo_audit_exporter::run;

#[tokio::main]
async fn main() -> ExitCode {
    run::run(std::env::args_os()).await
}
