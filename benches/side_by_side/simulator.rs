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

/// A running simulator.
pub(crate) struct Simulator {
    pub(crate) running: Running,
    /// The scheme, host and port.
    pub(crate) host: String,
}

/// The events of each of several accounts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    /// The number of events each second.
    pub(crate) rate: f64,
    /// The number of events in the past, and the time over which they are spread.
    pub(crate) history: u32,
    pub(crate) span: Duration,
}

/// A simulator that answers nothing.
pub(crate) struct Pause<'s>(&'s Simulator);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.running.signal("CONT");
    }
}

impl Simulator {
    /// Starts a simulator with this number of events, all of which lie in the past, and this
    /// latency.
    pub(crate) fn start(
        settings: &Settings,
        folder: &Path,
        events: usize,
        latency: Duration,
    ) -> Self {
        let history = format!("--history={events}");
        let traffic = ["--rate=0", "--history-span", SPAN, &history];
        Self::with(settings, folder, &traffic, latency)
    }

    /// Starts a simulator with so many events each second, for an hour before now and after
    /// it.
    pub(crate) fn busy(settings: &Settings, folder: &Path, rate: f64, latency: Duration) -> Self {
        let rates = format!("--rate={rate}");
        let history = format!("--history={}", (rate * 3600.0).ceil());
        let traffic = ["--steady", "--history-span=1h", &rates, &history];
        Self::with(settings, folder, &traffic, latency)
    }

    /// Starts a simulator of many accounts.
    pub(crate) fn of_accounts(
        settings: &Settings,
        folder: &Path,
        accounts: usize,
        traffic: Traffic,
    ) -> Self {
        let rate = format!("--rate={}", traffic.rate);
        let history = format!("--history={}", traffic.history);
        let span = format!("--history-span={}s", traffic.span.as_secs());
        let accounts = format!("--accounts={accounts}");
        let traffic = ["--steady", &rate, &history, &span, &accounts];
        Self::with(settings, folder, &traffic, Duration::ZERO)
    }

    /// Stops the simulator until the result is dropped: no request is answered meanwhile.
    pub(crate) fn pause(&self) -> Pause<'_> {
        self.running.signal("STOP");
        Pause(self)
    }

    fn with(settings: &Settings, folder: &Path, traffic: &[&str], latency: Duration) -> Self {
        let address = free_address();
        let mut simulator = command(&settings.binary);
        simulator
            .args(["simulate", "--api-key", KEY, "--api-secret", SECRET])
            .args(traffic)
            .arg(format!("--listen-address={address}"))
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
