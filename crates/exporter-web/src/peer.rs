//! The client at the other end of a connection.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

/// The client at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    address: IpAddr,
    connection: u64,
}

impl Peer {
    /// Creates the peer of a new connection. A server does this by itself; the tests of
    /// a [`Site`](crate::Site) can, too.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        let connection = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        Self {
            address: address.to_canonical(),
            connection,
        }
    }

    /// Returns the address of the client. An IPv4 address is never mapped to IPv6.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Returns the number of the connection, which no other connection of this process
    /// has.
    #[must_use]
    pub fn connection(&self) -> u64 {
        self.connection
    }
}
