//! Sockets that accept connections, and the connections that they accept.

use std::{
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
};

use rustix::net::RecvFlags;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::{TcpListener, TcpStream, UnixStream},
};

use crate::{peer::PeerAddress, unix_socket::UnixSocket};

/// A socket that accepts connections, of TCP or of a unix socket.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Port(TcpListener),
    UnixSocket(UnixSocket),
}

/// The address that a [`Listener`] has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalAddress {
    /// An address and a port of TCP.
    Port(SocketAddr),
    /// The path of a unix socket; empty if the socket has none.
    UnixSocket(PathBuf),
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self(Kind::Port(listener))
    }
}

impl From<UnixSocket> for Listener {
    fn from(socket: UnixSocket) -> Self {
        Self(Kind::UnixSocket(socket))
    }
}

impl Listener {
    /// Returns the address, with the port that was taken for port 0.
    ///
    /// # Errors
    /// Returns an error if the system cannot tell the address.
    pub fn local_address(&self) -> io::Result<LocalAddress> {
        match &self.0 {
            Kind::Port(listener) => listener.local_addr().map(LocalAddress::Port),
            Kind::UnixSocket(socket) => socket.path().map(LocalAddress::UnixSocket),
        }
    }

    /// Accepts a connection.
    pub(crate) async fn accept(&self) -> io::Result<(ClientStream, PeerAddress)> {
        match &self.0 {
            Kind::Port(listener) => {
                let (stream, address) = listener.accept().await?;
                // Fails only if the connection has already ended.
                let _ = stream.set_nodelay(true);
                Ok((ClientStream::Port(stream), address.ip().into()))
            }
            Kind::UnixSocket(socket) => {
                let stream = socket.accept().await?;
                Ok((ClientStream::UnixSocket(stream), PeerAddress::UnixSocket))
            }
        }
    }
}

impl LocalAddress {
    /// Returns the address and the port; `None` for a unix socket.
    #[must_use]
    pub fn port(&self) -> Option<SocketAddr> {
        match self {
            Self::Port(address) => Some(*address),
            Self::UnixSocket(_) => None,
        }
    }
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(address) => address.fmt(formatter),
            Self::UnixSocket(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// The stream of one connection.
#[derive(Debug)]
pub(crate) enum ClientStream {
    Port(TcpStream),
    UnixSocket(UnixStream),
}

impl ClientStream {
    /// Waits for bytes and returns the first of them, which a read returns again; `None` at
    /// the end of the stream.
    pub(crate) async fn peek(&self) -> io::Result<Option<u8>> {
        let mut first = [0];
        let length = match self {
            Self::Port(stream) => stream.peek(&mut first).await?,
            Self::UnixSocket(stream) => {
                let peek = || Ok(rustix::net::recv(stream, &mut first, RecvFlags::PEEK)?.1);
                stream.async_io(Interest::READABLE, peek).await?
            }
        };
        Ok((length > 0).then_some(first[0]))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Port(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::UnixSocket(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Port(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::UnixSocket(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Port(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
            Self::UnixSocket(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Port(stream) => stream.is_write_vectored(),
            Self::UnixSocket(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Port(stream) => Pin::new(stream).poll_flush(context),
            Self::UnixSocket(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Port(stream) => Pin::new(stream).poll_shutdown(context),
            Self::UnixSocket(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
