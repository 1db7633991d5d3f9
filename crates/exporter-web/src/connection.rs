//! One connection, from its first byte to its last.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::Watcher,
};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::{
    Site,
    listener::ClientStream,
    request_handler::{ConnectedClient, RequestHandler},
    stream::WatchedStream,
};

/// The longest time from the acceptance of a connection to the end of the first
/// request's head, TLS included.
const FIRST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time from one request to the end of the next request's head. Longer than
/// the scrape intervals in use, so that a scraper keeps its connection.
const HEAD_TIMEOUT: Duration = Duration::from_mins(5);
/// The largest head of a request: many times what clients send.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// The longest time that a client which is refused has to read why and to close.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves one connection until its end.
pub(crate) async fn serve<S: Site>(
    stream: ClientStream,
    handler: Arc<RequestHandler<S>>,
    client: ConnectedClient,
    watcher: Watcher,
) {
    let no_request = client.activity.no_request_within(FIRST_HEAD_TIMEOUT);
    let tls = handler.web_config.current().tls.clone();
    let serving = async {
        match tls {
            None => {
                let stream = WatchedStream::new(stream, Arc::clone(&client.activity));
                serve_http(stream, &handler, &client, watcher).await;
            }
            Some(tls) => serve_tls(stream, tls, &handler, &client, watcher).await,
        }
    };
    tokio::select! {
        biased;
        () = serving => {}
        () = no_request => tracing::debug!("a connection was closed that sent no request in time"),
    }
}

async fn serve_tls<S: Site>(
    mut stream: ClientStream,
    tls: Arc<ServerConfig>,
    handler: &RequestHandler<S>,
    client: &ConnectedClient,
    watcher: Watcher,
) {
    // HTTP begins with a capital letter, and TLS with another byte.
    match stream.peek().await {
        Ok(Some(first)) if first.is_ascii_uppercase() => {
            if let Err(error) = refuse_plain_http(&mut stream).await {
                tracing::debug!(%error, "a connection ended early");
            }
            return;
        }
        Ok(Some(_)) => {}
        Ok(None) | Err(_) => return,
    }
    let stream = WatchedStream::new(stream, Arc::clone(&client.activity));
    match TlsAcceptor::from(tls).accept(stream).into_fallible().await {
        Ok(stream) => serve_http(stream, handler, client, watcher).await,
        Err((error, mut stream)) => {
            let address = client.peer.address();
            tracing::debug!(%address, %error, "a TLS handshake failed");
            read_until_closed(&mut stream).await;
        }
    }
}

/// Answers a request without TLS in the words of servers in Go.
async fn refuse_plain_http(stream: &mut ClientStream) -> io::Result<()> {
    const ANSWER: &[u8] =
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    stream.write_all(ANSWER).await?;
    read_until_closed(stream).await;
    Ok(())
}

/// Says that nothing more is sent, and reads what the client still sends, for
/// [`REFUSED_TIMEOUT`] and [`MAX_HEAD_BYTES`] at most.
///
/// A client that writes to a connection which is closed fails, and does not read why it was
/// refused. In TLS 1.3 a client sends its request before it can know that it is refused.
async fn read_until_closed(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let closing = async {
        stream.shutdown().await?;
        let mut sent = stream.take(MAX_HEAD_BYTES as u64);
        tokio::io::copy(&mut sent, &mut tokio::io::sink()).await
    };
    // A connection that fails here has ended, which is all that is waited for.
    let _ = tokio::time::timeout(REFUSED_TIMEOUT, closing).await;
}

async fn serve_http<T, S>(
    stream: T,
    handler: &RequestHandler<S>,
    client: &ConnectedClient,
    watcher: Watcher,
) where
    S: Site,
    T: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let service = service_fn(async |request: Request<Incoming>| {
        Ok::<_, Infallible>(handler.answer(request, client).await)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
