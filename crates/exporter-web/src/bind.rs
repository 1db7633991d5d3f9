//! Listening on ports.

use std::io;

use tokio::net::{TcpListener, lookup_host};

/// An address that a server cannot listen on, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; {}", advice(.source.kind()))]
pub struct BindError {
    address: String,
    source: io::Error,
}

fn advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => {
            "another process uses that port: end the process, or choose another port with --web.listen-address"
        }
        io::ErrorKind::PermissionDenied => "choose a port above 1023 with --web.listen-address",
        _ => "choose an address of this machine with --web.listen-address",
    }
}

/// Listens on a port of `host`, or on every interface, IPv4 and IPv6, if `host` is
/// `None`. Port 0 takes a free port.
///
/// # Errors
/// Returns a [`BindError`] if the name is unknown or the port cannot be taken.
pub async fn bind(host: Option<&str>, port: u16) -> Result<TcpListener, BindError> {
    let bound = match host {
        Some(host) => bind_host(host, port).await,
        None => bind_all(port).await,
    };
    bound.map_err(|source| BindError {
        address: format!("{}:{port}", host.unwrap_or_default()),
        source,
    })
}

/// Listens on the first address of a host alone: each `--web.listen-address` is one
/// listener.
async fn bind_host(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut addresses = lookup_host((host, port)).await?;
    let address = addresses.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    TcpListener::bind(address).await
}

/// Listens on `[::]`, which includes IPv4, or on `0.0.0.0` if the machine has no IPv6.
async fn bind_all(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(("::", port)).await {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind(("0.0.0.0", port)).await
        }
        bound => bound,
    }
}
