//! Listening on ports.

use std::{
    fmt, io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use tokio::net::{TcpListener, lookup_host};

/// An address that a server cannot listen on, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}; {}", advice(.error.kind()))]
pub struct BindError {
    address: String,
    /// The error of the system, which the message contains.
    error: io::Error,
}

/// Each address that a server cannot listen on.
#[derive(Debug)]
pub struct BindErrors(pub Vec<BindError>);

impl fmt::Display for BindErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&texts.join("\n"))
    }
}

impl std::error::Error for BindErrors {}

impl BindError {
    /// Returns `true` if another process listens on the port.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.error.kind() == io::ErrorKind::AddrInUse
    }
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

/// Listens on ports, each of a host, or of every interface, IPv4 and IPv6, if the host is
/// `None`. Port 0 takes a free port. An address that one of the other addresses includes, as
/// `[::]:1` includes `0.0.0.0:1`, needs no listener.
///
/// # Errors
/// [`BindErrors`], one for each name that is unknown and each port that cannot be taken.
pub async fn bind(addresses: &[(Option<&str>, u16)]) -> Result<Vec<TcpListener>, BindErrors> {
    let mut listeners = Vec::new();
    let mut left = Vec::new();
    // The addresses that include others come first.
    let is_wide = |host: Option<&str>| host.is_none_or(|host| host == "::");
    let all = addresses.iter().copied();
    let (wide, narrow): (Vec<_>, Vec<_>) = all.partition(|(host, _)| is_wide(*host));
    for (host, port) in wide.into_iter().chain(narrow) {
        match bind_one(host, port).await {
            Ok(listener) => listeners.push(listener),
            Err(error) => left.push((host, port, error)),
        }
    }
    let mut errors = Vec::new();
    for (host, port, error) in left {
        if !is_included(host, port, &listeners).await {
            let host = host.unwrap_or_default();
            let address = if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            };
            errors.push(BindError { address, error });
        }
    }
    if errors.is_empty() {
        Ok(listeners)
    } else {
        Err(BindErrors(errors))
    }
}

async fn bind_one(host: Option<&str>, port: u16) -> io::Result<TcpListener> {
    match host {
        Some(host) => bind_host(host, port).await,
        None => bind_all(port).await,
    }
}

/// Returns `true` if one of the listeners has the port of the address, and listens on the
/// address or on all addresses of its kind; `[::]` has those of IPv4, too.
async fn is_included(host: Option<&str>, port: u16, listeners: &[TcpListener]) -> bool {
    let wanted = match host {
        None => Ipv6Addr::UNSPECIFIED.into(),
        Some(host) => match address_of(host, port).await {
            Ok(address) => address.ip(),
            Err(_) => return false,
        },
    };
    let includes = |own: IpAddr| match own {
        IpAddr::V6(all) if all.is_unspecified() => true,
        IpAddr::V4(all) if all.is_unspecified() => wanted.is_ipv4(),
        one => one == wanted,
    };
    let own = listeners.iter().filter_map(|one| one.local_addr().ok());
    let mut own = own.filter(|own| own.port() == port);
    port != 0 && own.any(|own| includes(own.ip()))
}

/// Listens on the first address of a host alone: each `--web.listen-address` is one
/// listener.
async fn bind_host(host: &str, port: u16) -> io::Result<TcpListener> {
    TcpListener::bind(address_of(host, port).await?).await
}

async fn address_of(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut addresses = lookup_host((host, port)).await?;
    Ok(addresses.next().ok_or(io::ErrorKind::AddrNotAvailable)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a port that was free just now.
    fn free_port() -> u16 {
        let listener = std::net::TcpListener::bind("[::]:0").expect("a port");
        listener.local_addr().expect("an address").port()
    }

    #[tokio::test]
    async fn an_address_that_another_one_includes_needs_no_listener() {
        let cases: [(&[Option<&str>], usize); 6] = [
            (&[Some("0.0.0.0"), Some("::")], 1),
            (&[Some("::"), Some("0.0.0.0")], 1),
            (&[Some("127.0.0.1"), None], 1),
            (&[Some("0.0.0.0"), Some("127.0.0.1")], 1),
            (&[Some("127.0.0.1"), Some("127.0.0.1")], 1),
            (&[Some("127.0.0.1"), Some("127.0.0.2"), Some("::1")], 3),
        ];
        for (hosts, expected) in cases {
            let port = free_port();
            let addresses: Vec<_> = hosts.iter().map(|host| (*host, port)).collect();
            let bound = bind(&addresses).await;
            assert_eq!(bound.expect("listeners").len(), expected, "{hosts:?}");
        }
    }

    #[tokio::test]
    async fn each_port_that_is_taken_is_named_once_with_what_to_do() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let addresses = [(Some("127.0.0.1"), port), (Some("no.such.invalid"), 1)];
        let BindErrors(errors) = bind(&addresses).await.expect_err("errors");
        let [in_use, unknown] = &errors[..] else {
            panic!("{errors:?}")
        };
        assert!(in_use.is_in_use() && !unknown.is_in_use());
        let expected = format!(
            "cannot listen on 127.0.0.1:{port}: Address already in use (os error 98); another process uses that port: end the process, or choose another port with --web.listen-address"
        );
        assert_eq!(in_use.to_string(), expected);
        assert!(std::error::Error::source(in_use).is_none());
    }
}
