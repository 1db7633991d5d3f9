//! The Audit API that the exporter polls: the simulator, in a process of its own.

use std::{net::TcpStream, path::Path, time::Duration};

use test_support::eventually::eventually;

use super::{
    running::{Running, command, free_address},
    settings::Settings,
};

pub(crate) const KEY: &str = "abcd1234";
pub(crate) const SECRET: &str = "simulated-secret";
/// The time over which the events of the simulator are spread.
const SPAN: &str = "12h";
const START: Duration = Duration::from_secs(30);

/// A running simulator; all its events lie in the past.
pub(crate) struct Simulator {
    pub(crate) running: Running,
    /// The scheme, host and port.
    pub(crate) host: String,
}

impl Simulator {
    /// Starts a simulator with this number of events and this latency.
    pub(crate) fn start(
        settings: &Settings,
        folder: &Path,
        events: usize,
        latency: Duration,
    ) -> Self {
        let address = free_address();
        let mut simulator = command(&settings.binary);
        simulator
            .args(["simulate", "--rate=0", "--history-span", SPAN])
            .args(["--api-key", KEY, "--api-secret", SECRET])
            .arg(format!("--listen-address={address}"))
            .arg(format!("--history={events}"))
            .arg(format!("--latency={}ms", latency.as_millis()));
        let running = Running::start(&mut simulator, &folder.join("simulator.log"));
        eventually("simulator", START, || {
            TcpStream::connect(address).map_err(|error| error.to_string())
        });
        Self {
            running,
            host: format!("http://{address}"),
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("{}/beta/audit", self.host)
    }
}
