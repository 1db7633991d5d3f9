//! Serves the pages over HTTP/1.1: many keep-alive clients at once, and an end
//! that loses no answer in flight.
//!
//! A scrape is answered from memory. Nothing here waits for a poll or for a disk.

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper_util::server::graceful::GracefulShutdown;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::MissedTickBehavior,
};

use crate::{
    Peer, Site, WebConfigFile,
    activity::Activity,
    connection,
    request_handler::{ConnectedClient, RequestHandler},
};

/// How long answers in flight may take once the end is asked for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to rest when the system has no descriptor left for a connection.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// From one look at the files of the web configuration to the next.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many responses may be in flight if nobody says otherwise: as many as
/// `node_exporter` allows.
const MAX_REQUESTS: usize = 40;

/// Listeners that are bound, and a site to serve on them.
#[derive(Debug)]
pub struct Server<S> {
    listeners: Vec<TcpListener>,
    site: S,
    web_config: Arc<WebConfigFile>,
    max_requests: usize,
}

impl<S: Site> Server<S> {
    /// A server that does not answer yet; its listeners already queue connections.
    #[must_use]
    pub fn new(listeners: Vec<TcpListener>, site: S, web_config: Arc<WebConfigFile>) -> Self {
        Self {
            listeners,
            site,
            web_config,
            max_requests: MAX_REQUESTS,
        }
    }

    /// Bounds the responses in flight; 0 is for no bound.
    #[must_use]
    pub fn max_requests(mut self, max_requests: usize) -> Self {
        self.max_requests = max_requests;
        self
    }

    /// The addresses in use, with the ports that were taken for 0.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn local_addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.listeners.iter().map(TcpListener::local_addr).collect()
    }

    /// Serves until `shutdown` resolves; then answers in flight have
    /// a bounded time to end.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let graceful = Arc::new(GracefulShutdown::new());
        let mut serving = JoinSet::new();
        for warning in self.web_config.warnings() {
            tracing::warn!("{warning}");
        }
        if self.web_config.is_given() {
            serving.spawn(follow(Arc::clone(&self.web_config)));
        }
        let handler = RequestHandler::new(self.site, self.web_config, self.max_requests);
        let handler = Arc::new(handler);
        for listener in self.listeners {
            let (handler, graceful) = (Arc::clone(&handler), Arc::clone(&graceful));
            serving.spawn(accept(listener, handler, graceful));
        }
        shutdown.await;
        // Closes the listeners: who comes now is refused, and not left waiting.
        serving.shutdown().await;
        handler.connections.end_silent();
        let Some(graceful) = Arc::into_inner(graceful) else {
            return;
        };
        let drained = tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await;
        if drained.is_err() {
            tracing::warn!(after = ?DRAIN_TIMEOUT, "answers in flight were cut off");
        }
    }
}

/// Takes over what changes in the files of the web configuration. Requests do not
/// wait for the disk that they are on.
async fn follow(web: Arc<WebConfigFile>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let web = Arc::clone(&web);
        if let Err(error) = tokio::task::spawn_blocking(move || web.look()).await {
            tracing::error!(%error, "the web configuration could not be looked at; please report this");
        }
    }
}

async fn accept<S: Site>(
    listener: TcpListener,
    handler: Arc<RequestHandler<S>>,
    graceful: Arc<GracefulShutdown>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => begin(stream, address, &handler, &graceful),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted; is the limit of open files too low?");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// Serves one connection in a task of its own, so that none waits for another.
fn begin<S: Site>(
    stream: TcpStream,
    address: SocketAddr,
    handler: &Arc<RequestHandler<S>>,
    graceful: &GracefulShutdown,
) {
    let client = ConnectedClient {
        peer: Peer::new(address.ip()),
        activity: Arc::new(Activity::new()),
    };
    let place = handler.connections.admit(address.ip(), &client.activity);
    let key = place.key();
    let serving = connection::serve(stream, Arc::clone(handler), client, graceful.watcher());
    let task = tokio::spawn(async move {
        serving.await;
        drop(place);
    });
    handler.connections.run(key, task.abort_handle());
}
