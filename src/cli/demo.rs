//! The exporter with a simulated account, in one process, to show how it looks.

use std::{io::Write, net::SocketAddr, time::Duration};

use anyhow::Context;
use audit_simulator::{Simulator, SimulatorSettings};
use exporter_web::{LocalAddress, WebConfigFile};

use crate::{
    config::{EnvironmentCredentials, Options, Problems, Settings},
    exporter::{CountingThreads, Exporter, ServiceManager},
};

/// Events per second: enough to see counters rise.
const RATE: f64 = 1.0;
/// The number of events on the account before the demo begins.
const HISTORY: u32 = 500;

/// Takes the ports, writes to standard output what to open, and runs until `signal`
/// resolves.
///
/// # Errors
/// The errors of [`Exporter::bind`], and options that cannot be used.
pub(super) async fn run(mut options: Options, signal: impl AsyncFnMut()) -> anyhow::Result<()> {
    let simulator = Simulator::bind(account()).await?;
    options.account.base_url = simulator.base_url();
    let simulated = account();
    let credentials = EnvironmentCredentials {
        key: Some(simulated.api_key.into()),
        secret: Some(Ok(simulated.api_secret.into())),
    };
    let storage = tempfile::tempdir().context("a temporary directory cannot be made")?;
    options.storage.path = storage.path().to_owned();
    let mut settings = Settings::check(&options, credentials)?;
    let web = WebConfigFile::read(settings.web_config.as_deref()).map_err(Problems::from)?;
    // Nothing is lost with a state that ends with the process.
    settings.shutdown_timeout = Duration::ZERO;
    let exporter = Exporter::bind(&settings, web, ServiceManager::default()).await?;
    let addresses = exporter.local_addresses()?;
    let address = addresses.first().context("no address is listened on")?;
    introduce(address, &settings.telemetry_path)?;
    let simulating = tokio::spawn(simulator.run(std::future::pending()));
    let counting = CountingThreads::start().context("no thread can be started")?;
    let outcome = exporter.run(&counting.handle(), signal).await;
    simulating.abort();
    outcome
}

fn account() -> SimulatorSettings {
    SimulatorSettings {
        listen_address: SocketAddr::from(([127, 0, 0, 1], 0)),
        rate: RATE,
        steady: true,
        history: HISTORY,
        ..SimulatorSettings::default()
    }
}

fn introduce(address: &LocalAddress, path: &str) -> std::io::Result<()> {
    let ways = match address {
        LocalAddress::Port(address) => format!(
            "Open       http://{address}/
  See        curl -s http://{address}{path} | grep nexmo_audit_events
  Scrape     scrape_configs:
               - job_name: nexmo-audit
                 metrics_path: {path}
                 static_configs:
                   - targets: [\"{address}\"]"
        ),
        LocalAddress::UnixSocket(socket) => {
            let socket = socket.display();
            format!(
                "See        curl -s --unix-socket {socket} http://localhost{path} | grep nexmo_audit_events"
            )
        }
    };
    write!(
        std::io::stdout().lock(),
        "A simulated account with about one event a second is being counted.

  {ways}
  Your own   NEXMO_API_KEY=... NEXMO_API_SECRET=... nexmo-audit-exporter serve

Ctrl-C ends it.

"
    )
}
