//! The exporter, started as a user starts it.

use std::{env, net::SocketAddr, path::Path, process::Command};

use super::simulator::{KEY, SECRET, Simulator};

/// Returns the command that serves on `address`, stores in `storage` and polls `api`.
/// Its other settings are the defaults.
pub(crate) fn serve(
    mut exporter: Command,
    api: &Simulator,
    storage: &Path,
    address: SocketAddr,
) -> Command {
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("NEXMO_") || name.starts_with("VONAGE_") {
            exporter.env_remove(&*name);
        }
    }
    exporter
        .env("NEXMO_API_KEY", KEY)
        .env("NEXMO_API_SECRET", SECRET)
        .arg("serve")
        .arg(format!("--web.listen-address={address}"))
        .arg(format!("--api.base-url={}", api.base_url()))
        .arg(format!("--storage.path={}", storage.display()))
        .arg("--metrics.max-series=1000000")
        // The other programs ask for pages without a limit, too.
        .arg("--api.max-requests-per-second=100000");
    exporter
}
