//! The other end of one connection.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

/// The other end of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    address: IpAddr,
    connection: u64,
}

impl Peer {
    /// The other end of a new connection.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);
        let connection = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        Self {
            address: address.to_canonical(),
            connection,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Which connection of this process it is.
    #[must_use]
    pub fn connection(&self) -> u64 {
        self.connection
    }
}
