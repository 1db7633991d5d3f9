//! One connection, which is served until the client leaves, the simulator stops or a fault
//! ends it.

use std::error::Error as _;
use std::future::poll_fn;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::http::{self, ConnectionReset};
use crate::simulated_api::SimulatedApi;

/// Serves `stream` until it ends; once `stopping` closes, only the answer in flight is sent.
pub(crate) async fn serve(
    stream: TcpStream,
    api: Arc<SimulatedApi>,
    mut stopping: watch::Receiver<()>,
) {
    // A failure changes no answer, and only costs time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| Box::pin(http::answer(Arc::clone(&api), request)));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut stopped = false;
    let outcome = loop {
        tokio::select! {
            outcome = poll_fn(|context| connection.poll_without_shutdown(context)) => break outcome,
            _ = stopping.changed(), if !stopped => {
                stopped = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let stream = connection.into_parts().io.into_inner();
    match outcome {
        Err(error) if is_reset(&error) => reset(stream),
        Err(error) => {
            tracing::debug!(%error, "the connection to the simulator ended early");
            close(stream).await;
        }
        Ok(()) => close(stream).await,
    }
}

/// Closes the connection so that the client sees "connection reset by peer".
pub(crate) fn reset(stream: TcpStream) {
    let lingering = stream.set_zero_linger();
    drop(stream);
    if let Err(error) = lingering {
        tracing::debug!(%error, "the simulator closes a connection that it should reset");
    }
}

async fn close(mut stream: TcpStream) {
    // The client may have closed first.
    let _ = stream.shutdown().await;
}

fn is_reset(error: &hyper::Error) -> bool {
    error
        .source()
        .is_some_and(<dyn std::error::Error>::is::<ConnectionReset>)
}
