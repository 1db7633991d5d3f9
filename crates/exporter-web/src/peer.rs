//! The client at the other end of a connection.

use std::{
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

/// The client at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    address: PeerAddress,
    connection: u64,
}

/// The address of a client, as far as it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerAddress {
    /// An IP address. An IPv4 address is never mapped to IPv6.
    Ip(IpAddr),
    /// The client is on the same machine, and has connected to a unix socket. All such clients
    /// have one address.
    UnixSocket,
}

impl From<IpAddr> for PeerAddress {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address.to_canonical())
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(formatter),
            Self::UnixSocket => formatter.write_str("unix socket"),
        }
    }
}

impl Peer {
    /// Creates the peer of a new connection. A server does this by itself; the tests of
    /// a [`Site`](crate::Site) can, too.
    #[must_use]
    pub fn new(address: PeerAddress) -> Self {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        let connection = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        Self {
            address,
            connection,
        }
    }

    /// Returns the address of the client.
    #[must_use]
    pub fn address(&self) -> PeerAddress {
        self.address
    }

    /// Returns the number of the connection, which no other connection of this process
    /// has.
    #[must_use]
    pub fn connection(&self) -> u64 {
        self.connection
    }
}
