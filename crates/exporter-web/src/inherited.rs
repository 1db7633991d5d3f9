//! Sockets that a service manager has opened and hands over to the process: the protocol of
//! `sd_listen_fds(3)`.

use std::{
    env, io,
    net::TcpListener,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixListener,
    },
    process,
};

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;

use crate::{Listener, unix_socket::UnixSocket};

/// The first descriptor that is handed over.
const FIRST: usize = 3;

/// A socket that a service manager has opened. It listens, whether this process runs or not.
#[derive(Debug)]
pub struct InheritedSocket {
    /// The name that the service manager gives to the socket; empty for none.
    pub name: String,
    socket: Kind,
}

#[derive(Debug)]
enum Kind {
    Port(TcpListener),
    UnixSocket(UnixListener),
}

/// The reason why a socket of a service manager cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InheritedSocketError {
    /// The descriptor is neither a socket of TCP nor a stream socket with a path.
    #[error(
        "the service manager hands over descriptor {0}, which is no stream socket: let the socket unit name each address by ListenStream="
    )]
    Unsuitable(usize),
    /// The socket is a connection.
    #[error(
        "the service manager hands over descriptor {0}, which does not listen: set Accept=no in the socket unit"
    )]
    Connected(usize),
    /// A call of the system has failed.
    #[error("descriptor {0}, which the service manager hands over, cannot be used: {1}")]
    System(usize, #[source] io::Error),
}

/// Takes the sockets that a service manager hands over to this process; there are none
/// without a service manager. They are closed when the process starts another program.
///
/// Removes the variables that name the number of the sockets. So the process must not have
/// other threads yet.
///
/// # Errors
/// Returns an error for the first socket that is not one of TCP or a unix socket that listens.
pub fn inherited_sockets() -> Result<Vec<InheritedSocket>, InheritedSocketError> {
    let own = process::id().to_string();
    // Without the number of the process, the variables may be meant for another one.
    let is_meant = env::var("LISTEN_PID").is_ok_and(|meant| meant == own);
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut sockets = ListenFd::from_env();
    if !is_meant {
        return Ok(Vec::new());
    }
    let mut names = names.split(':');
    (0..sockets.len())
        .map(|place| {
            Ok(InheritedSocket {
                name: names.next().unwrap_or_default().to_owned(),
                socket: Kind::take(&mut sockets, place)?,
            })
        })
        .collect()
}

impl Kind {
    fn take(sockets: &mut ListenFd, place: usize) -> Result<Self, InheritedSocketError> {
        let descriptor = FIRST + place;
        let unsuitable = InheritedSocketError::Unsuitable(descriptor);
        let socket = match sockets.take_tcp_listener(place) {
            Ok(Some(listener)) => Self::Port(listener),
            _ => match sockets.take_unix_listener(place) {
                Ok(Some(listener)) => Self::UnixSocket(listener),
                _ => return Err(unsuitable),
            },
        };
        match socket.prepare() {
            Ok(true) => Ok(socket),
            Ok(false) => Err(InheritedSocketError::Connected(descriptor)),
            Err(error) => Err(InheritedSocketError::System(descriptor, error)),
        }
    }

    /// Makes the socket wait for nothing, and returns `true` if it listens.
    fn prepare(&self) -> io::Result<bool> {
        match self {
            Self::Port(listener) => listener.set_nonblocking(true)?,
            Self::UnixSocket(listener) => listener.set_nonblocking(true)?,
        }
        Ok(socket_acceptconn(self)?)
    }
}

impl AsFd for Kind {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Port(listener) => listener.as_fd(),
            Self::UnixSocket(listener) => listener.as_fd(),
        }
    }
}

impl InheritedSocket {
    /// Returns a listener, which leaves the file of a unix socket to the service manager.
    ///
    /// # Errors
    /// Returns an error outside of a runtime of tokio.
    pub fn listener(self) -> io::Result<Listener> {
        match self.socket {
            Kind::Port(listener) => tokio::net::TcpListener::from_std(listener).map(Into::into),
            Kind::UnixSocket(listener) => UnixSocket::inherited(listener).map(Into::into),
        }
    }
}
