//! The stream of a connection, which records when the client does not read, fails if that lasts too long,
//! and records when an answer was sent.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use crate::{activity::Activity, listener::ClientStream};

/// The longest time for a client to read what was sent. The buffers of the system hold
/// some hundred kilobytes; this is the time to take those, and then the rest.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// The stream of one connection, which tells its [`Activity`] whether the client reads, and
/// when it is flushed.
pub(crate) struct WatchedStream {
    stream: ClientStream,
    activity: Arc<Activity>,
    /// The time limit, while the client does not read.
    limit: Option<Pin<Box<Sleep>>>,
}

impl WatchedStream {
    pub(crate) fn new(stream: ClientStream, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            limit: None,
        }
    }

    /// Waits for the client, and fails after [`WRITE_LIMIT`].
    fn wait<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        self.activity.set_behind();
        let limit = self
            .limit
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_LIMIT)));
        ready!(limit.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => self.wait(context),
            written @ Poll::Ready(_) => written,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(context, pieces) {
            Poll::Pending => self.wait(context),
            written @ Poll::Ready(_) => written,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when the system has taken all that there was to write. With TLS, the
    /// stream above this one writes its last bytes before it flushes this one.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        if self.limit.take().is_some() {
            self.activity.clear_behind();
        }
        self.activity.written.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
