//! Accepts connections, and ends without losing an answer in flight.

use std::{future::Future, io, sync::Arc, time::Duration};

use hyper_util::server::graceful::GracefulShutdown;
use tokio::{task::JoinSet, time::MissedTickBehavior};

use crate::{
    Listener, LocalAddress, Peer, PeerAddress, Site, WebConfigFile,
    activity::Activity,
    connection,
    listener::ClientStream,
    request_handler::{ConnectedClient, RequestHandler},
};

/// The longest time for answers in flight to end at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time between two looks, at shutdown, for clients that are about to ask.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// The time until the next attempt after a connection could not be accepted, which is
/// when the process has no descriptor left.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// The interval at which the files of the web configuration are checked for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The default bound on answers in flight, which is the same as that of `node_exporter`.
const MAX_REQUESTS: usize = 40;

/// A server of HTTP/1.1, with TLS and passwords as a web configuration file says.
#[derive(Debug)]
pub struct Server<S> {
    listeners: Vec<Listener>,
    site: S,
    web_config: Arc<WebConfigFile>,
    max_requests: usize,
}

impl<S: Site> Server<S> {
    /// Creates a server that answers once it runs. Its listeners queue connections
    /// until then.
    #[must_use]
    pub fn new(listeners: Vec<Listener>, site: S, web_config: Arc<WebConfigFile>) -> Self {
        Self {
            listeners,
            site,
            web_config,
            max_requests: MAX_REQUESTS,
        }
    }

    /// Sets the highest number of answers in flight: 40 by default, and 0 for no
    /// bound. One more is answered with status 503.
    #[must_use]
    pub fn max_requests(mut self, max_requests: usize) -> Self {
        self.max_requests = max_requests;
        self
    }

    /// Returns the addresses of the listeners, with the port that was taken for port 0.
    ///
    /// # Errors
    /// Returns an error if the system cannot tell an address.
    pub fn local_addresses(&self) -> io::Result<Vec<LocalAddress>> {
        self.listeners.iter().map(Listener::local_address).collect()
    }

    /// Serves until `shutdown` resolves, and then for up to ten seconds until the
    /// answers in flight have ended. A client that has just connected is answered, too.
    ///
    /// Meanwhile the server loads the web configuration again when it changes.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let graceful = Arc::new(GracefulShutdown::new());
        let mut tasks = JoinSet::new();
        for warning in self.web_config.warnings() {
            tracing::warn!("{warning}");
        }
        if self.web_config.has_file() {
            tasks.spawn(follow(Arc::clone(&self.web_config)));
        }
        let handler = RequestHandler::new(self.site, self.web_config, self.max_requests);
        let handler = Arc::new(handler);
        for listener in self.listeners {
            let (handler, graceful) = (Arc::clone(&handler), Arc::clone(&graceful));
            tasks.spawn(accept(listener, handler, graceful));
        }
        shutdown.await;
        // Closes the listeners, so that new clients are refused and do not wait. Clients of
        // an inherited socket wait for the next process.
        tasks.shutdown().await;
        // Bounded, since no connection stays young.
        while handler.connections.awaits_request() {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
        handler.connections.end_silent();
        let Some(graceful) = Arc::into_inner(graceful) else {
            return;
        };
        let drained = tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await;
        if drained.is_err() {
            tracing::warn!(
                after_seconds = DRAIN_TIMEOUT.as_secs(),
                "answers in flight were cut off"
            );
        }
    }
}

/// Loads the web configuration again when one of its files changes. Requests do not wait
/// for the disk.
async fn follow(web_config: Arc<WebConfigFile>) {
    let mut ticks = tokio::time::interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let web_config = Arc::clone(&web_config);
        let checking = tokio::task::spawn_blocking(move || web_config.reload_if_changed());
        if let Err(error) = checking.await {
            tracing::error!(%error, "the web configuration could not be checked for changes; please report this");
        }
    }
}

async fn accept<S: Site>(
    listener: Listener,
    handler: Arc<RequestHandler<S>>,
    graceful: Arc<GracefulShutdown>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => begin(stream, address, &handler, &graceful),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted; is the limit of open files too low?");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Serves a connection in a task of its own, so that no connection waits for another.
fn begin<S: Site>(
    stream: ClientStream,
    address: PeerAddress,
    handler: &Arc<RequestHandler<S>>,
    graceful: &GracefulShutdown,
) {
    let client = ConnectedClient {
        peer: Peer::new(address),
        activity: Arc::new(Activity::new()),
    };
    let place = handler.connections.admit(address, &client.activity);
    let key = place.key();
    let serving = connection::serve(stream, Arc::clone(handler), client, graceful.watcher());
    let task = tokio::spawn(async move {
        serving.await;
        drop(place);
    });
    handler.connections.set_task(key, task.abort_handle());
}
