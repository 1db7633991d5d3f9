//! The simulator as a server: bound first, then run until it is told to stop.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::ApiClock;
use crate::connection;
use crate::settings::{SettingsProblem, SimulatorSettings};
use crate::simulated_api::{Outage, SimulatedApi};
use crate::simulator_handle::SimulatorHandle;

/// How long answers in flight may take once the simulator stops.
const DRAIN: Duration = Duration::from_secs(2);
/// How long to wait when the system has no connection to give, such as with no file left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The settings contradict each other or lie outside their ranges.
    #[error("the simulator cannot run with these settings: {}", sentences(.0))]
    Settings(Vec<SettingsProblem>),
    /// The address cannot be listened on, mostly because the port is in use.
    #[error(
        "the simulator cannot listen on {address}: stop what else uses the port, or choose another with --listen-address (port 0 takes a free one)"
    )]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

fn sentences(problems: &[SettingsProblem]) -> String {
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// The Audit API of a simulated account, bound to an address.
pub struct Simulator {
    listener: TcpListener,
    address: SocketAddr,
    api: Arc<SimulatedApi>,
}

impl Simulator {
    /// Checks the settings, makes the history and binds the address. Requests wait until
    /// [`Simulator::run`].
    ///
    /// # Errors
    /// When the settings cannot be served or the address cannot be listened on.
    pub async fn bind(settings: SimulatorSettings) -> Result<Self, SimulatorError> {
        let clock = ApiClock::new(settings.clock_offset);
        let now = clock.now();
        settings.check(now).map_err(SimulatorError::Settings)?;
        let (listener, address) = listen(settings.listen_address).await?;
        let start = settings.start.unwrap_or(now);
        let (seed, api_key) = (settings.seed, settings.api_key.clone());
        let simulator = Self {
            listener,
            address,
            api: Arc::new(SimulatedApi::new(settings, clock, start)),
        };
        let base_url = simulator.base_url();
        tracing::info!(%base_url, api_key, seed, %start, "simulating the Audit API");
        Ok(simulator)
    }

    /// The address that is listened on, its port never 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where the API is, such as `http://127.0.0.1:10611/beta/audit`.
    #[must_use]
    pub fn base_url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let address = SocketAddr::new(ip, self.address.port());
        format!("http://{address}{}", self.api.base_path)
    }

    /// A handle to watch and steer the simulator with, also while it runs.
    #[must_use]
    pub fn handle(&self) -> SimulatorHandle {
        SimulatorHandle::new(Arc::clone(&self.api))
    }

    /// Serves until `shutdown` resolves, then finishes the answers in flight.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (stop, stopping) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                stream = accept(&self.listener) => {
                    if self.api.outage() == Outage::Unreachable {
                        connection::reset(stream);
                        continue;
                    }
                    let api = Arc::clone(&self.api);
                    connections.spawn(connection::serve(stream, api, stopping.clone()));
                }
            }
        }
        drop((self.listener, stop));
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            connections.shutdown().await;
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    let failed = |source| SimulatorError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The next connection; failures to accept one pass.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "simulator: cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
