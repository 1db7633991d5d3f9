//! The exporter, started as a user starts it.

use std::{env, net::SocketAddr, path::Path, process::Command, time::Duration};

use test_support::eventually::repeat_until_ok;

use super::{
    running::has_said,
    simulator::{KEY, SECRET, Simulator},
};

/// The line of the log after which all events of an account's past are counted.
const CAUGHT_UP: &str = "first poll succeeded";
/// The longest time that catching up may take.
const CATCH_UP: Duration = Duration::from_mins(5);
/// The time between two looks at the log.
const LOOK: Duration = Duration::from_millis(1);

/// Returns the command that serves on `address`, stores in `storage` and polls `api`.
/// Its other settings are the defaults.
pub(crate) fn serve(
    exporter: Command,
    api: &Simulator,
    storage: &Path,
    address: SocketAddr,
) -> Command {
    let mut exporter = serve_without_account(exporter, api, storage, address);
    exporter
        .env("NEXMO_API_KEY", KEY)
        .env("NEXMO_API_SECRET", SECRET)
        .arg("--metrics.max-series=1000000")
        // The other programs ask for pages without a limit, too.
        .arg("--api.max-requests-per-second=100000");
    exporter
}

/// Does the same as [`serve`], but leaves accounts and limits to a config file.
pub(crate) fn serve_without_account(
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
        .arg("serve")
        .arg(format!("--web.listen-address={address}"))
        .arg(format!("--api.base-url={}", api.base_url()))
        .arg(format!("--storage.path={}", storage.display()));
    exporter
}

/// Returns `true` if the exporter with this log has counted all events of the past.
pub(crate) fn has_caught_up(log: &Path) -> bool {
    has_said(log, CAUGHT_UP)
}

/// Waits until the exporter with this log has counted all events of the past.
pub(crate) fn wait_until_caught_up(log: &Path) {
    let look = || has_caught_up(log).then_some(()).ok_or(());
    let caught_up = repeat_until_ok(CATCH_UP, |_| LOOK, look);
    assert!(caught_up.is_ok(), "no catch-up ends in {}", log.display());
}
