//! Taking ports.

use std::io;

use tokio::net::{TcpListener, lookup_host};

/// A port that could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; {}", advice(.source.kind()))]
pub struct BindError {
    address: String,
    source: io::Error,
}

fn advice(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => {
            "another process has that port: end it, or choose another with --web.listen-address"
        }
        io::ErrorKind::PermissionDenied => "choose a port above 1023 with --web.listen-address",
        _ => "choose an address of this machine with --web.listen-address",
    }
}

/// Takes a port: on every interface, IPv4 and IPv6, where `host` is `None`.
/// Port 0 takes a free one.
///
/// # Errors
/// [`BindError`], with what to do.
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

/// The first address of a host alone, so that one listener is one line in the log.
async fn bind_host(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut addresses = lookup_host((host, port)).await?;
    let address = addresses.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    TcpListener::bind(address).await
}

/// `[::]` takes IPv4 too, but for machines without IPv6.
async fn bind_all(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind(("::", port)).await {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind(("0.0.0.0", port)).await
        }
        bound => bound,
    }
}
