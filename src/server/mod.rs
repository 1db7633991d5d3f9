//! Serves the pages over HTTP/1.1: many keep-alive clients at once, and an end
//! that loses no answer in flight.
//!
//! A scrape is answered from memory. Nothing here waits for a poll or for a disk.

mod accept;
mod bind;
mod body;
mod landing;
mod routes;
mod visitor;

pub use bind::{BindError, bind};
pub use routes::Site;

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use visitor::Peer;

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// How long answers in flight may take once the end is asked for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take from one request to the end of the next one's head.
/// Longer than the scrape intervals in use, so that a scraper keeps its connection.
const HEAD_TIMEOUT: Duration = Duration::from_mins(5);
/// How long to rest when the system has no descriptor left for a connection.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Listeners that are bound and a site to serve on them.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    site: Arc<Site>,
}

impl Server {
    /// A server that does not answer yet; its listeners already queue connections.
    #[must_use]
    pub fn new(listeners: Vec<TcpListener>, site: Site) -> Self {
        Self {
            listeners,
            site: Arc::new(site),
        }
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
        let mut accepting = JoinSet::new();
        for listener in self.listeners {
            let (site, graceful) = (Arc::clone(&self.site), Arc::clone(&graceful));
            accepting.spawn(accept(listener, site, graceful));
        }
        shutdown.await;
        // Closes the listeners: who comes now is refused, and not left waiting.
        accepting.shutdown().await;
        let Some(graceful) = Arc::into_inner(graceful) else {
            return;
        };
        let drained = tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await;
        if drained.is_err() {
            tracing::warn!(after = ?DRAIN_TIMEOUT, "answers in flight were cut off");
        }
    }
}

async fn accept(listener: TcpListener, site: Arc<Site>, graceful: Arc<GracefulShutdown>) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let peer = Peer::new(address.ip());
                serve(stream, peer, Arc::clone(&site), &graceful);
            }
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted; is the limit of open files too low?");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// Serves one connection in a task of its own, so that none waits for another.
fn serve(stream: TcpStream, peer: Peer, site: Arc<Site>, graceful: &GracefulShutdown) {
    // Fails only on a connection that is already gone.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(site.respond(&request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended early");
        }
    });
}
