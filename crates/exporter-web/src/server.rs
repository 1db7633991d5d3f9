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
    connections::Connections,
    front::{Client, Front},
    slots::Slots,
};

/// How long answers in flight may take once the end is asked for.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to rest when the system has no descriptor left for a connection.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// From one look at the files of the web configuration to the next.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Listeners that are bound and a site to serve on them.
#[derive(Debug)]
pub struct Server<S> {
    listeners: Vec<TcpListener>,
    front: Arc<Front<S>>,
}

impl<S: Site> Server<S> {
    /// A server that does not answer yet; its listeners already queue connections.
    /// `max_requests` bounds the answers in flight, and is 0 for no bound.
    #[must_use]
    pub fn new(
        listeners: Vec<TcpListener>,
        site: S,
        web: Arc<WebConfigFile>,
        max_requests: usize,
    ) -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").ok();
        Self {
            listeners,
            front: Arc::new(Front {
                site,
                web,
                connections: Arc::new(Connections::new(limits.as_deref())),
                slots: Arc::new(Slots::new(max_requests)),
            }),
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
        let mut serving = JoinSet::new();
        let web = Arc::clone(&self.front.web);
        for warning in web.warnings() {
            tracing::warn!("{warning}");
        }
        if web.is_given() {
            serving.spawn(follow(web));
        }
        for listener in self.listeners {
            let (front, graceful) = (Arc::clone(&self.front), Arc::clone(&graceful));
            serving.spawn(accept(listener, front, graceful));
        }
        shutdown.await;
        // Closes the listeners: who comes now is refused, and not left waiting.
        serving.shutdown().await;
        self.front.connections.end_silent();
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
    front: Arc<Front<S>>,
    graceful: Arc<GracefulShutdown>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => begin(stream, address, &front, &graceful),
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
    front: &Arc<Front<S>>,
    graceful: &GracefulShutdown,
) {
    let client = Client {
        peer: Peer::new(address.ip()),
        activity: Arc::new(Activity::new()),
    };
    let place = front.connections.admit(address.ip(), &client.activity);
    let key = place.key();
    let serving = connection::serve(stream, Arc::clone(front), client, graceful.watcher());
    let task = tokio::spawn(async move {
        serving.await;
        drop(place);
    });
    front.connections.run(key, task.abort_handle());
}
