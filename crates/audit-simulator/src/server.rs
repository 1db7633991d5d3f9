//! The simulator as a server, which is bound first and then run until it is told to stop.

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

/// The time that answers in flight may take once the simulator stops.
const DRAIN: Duration = Duration::from_secs(2);
/// The wait after the system could not accept a connection, for example for want of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The reason why a simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The settings contradict each other or lie outside their ranges.
    #[error("the simulator cannot run with these settings: {}", sentences(.0))]
    Settings(Vec<SettingsProblem>),
    /// The simulator cannot listen on the address, in most cases because the port is in use.
    #[error(
        "the simulator cannot listen on {address}: stop what else uses the port, or choose another with --listen-address (port 0 takes a free one)"
    )]
    Listen {
        /// The address of the settings.
        address: SocketAddr,
        /// The error of the system.
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
    /// [`Simulator::run`] is called.
    ///
    /// # Errors
    /// Returns an error if the settings cannot be served or the address cannot be bound.
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

    /// Returns the address that the simulator listens on; its port is never 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the API, such as `http://127.0.0.1:10611/beta/audit`.
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

    /// Returns a handle that watches and steers the simulator, also while it runs.
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

/// Returns the next connection. A failure to accept one is logged, and another is awaited.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "the simulator cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
