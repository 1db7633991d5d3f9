//! Listening on ports and unix sockets.

use std::{
    fmt, io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::Path,
};

use tokio::net::{TcpListener, lookup_host};

use crate::{ListenAddress, Listener, systemd_sockets, unix_socket::UnixSocket};

/// An address that a server cannot listen on, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}; {}", advice(.address, .error.kind()))]
pub struct BindError {
    address: ListenAddress,
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
    /// Returns `true` if another process listens on the address.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.error.kind() == io::ErrorKind::AddrInUse
    }

    /// Returns `true` if the systemd of this machine listens on the address, as for a socket
    /// unit that hands it over. Root alone can see that.
    #[must_use]
    pub fn is_held_by_systemd(&self) -> bool {
        self.is_in_use() && systemd_sockets::holds(&self.address)
    }

    /// Returns the address.
    #[must_use]
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }
}

fn advice(address: &ListenAddress, kind: io::ErrorKind) -> &'static str {
    use io::ErrorKind::{AddrInUse, AlreadyExists, PermissionDenied};
    match (address, kind) {
        (ListenAddress::Port { .. }, AddrInUse) => {
            "another process uses that port: end the process, or choose another port with --web.listen-address"
        }
        (ListenAddress::Port { .. }, PermissionDenied) => {
            "choose a port above 1023 with --web.listen-address"
        }
        (ListenAddress::Port { .. }, _) => {
            "choose an address of this machine with --web.listen-address"
        }
        (ListenAddress::UnixSocket(_), AddrInUse) => {
            "another process uses that socket: end the process, or choose another path with --web.listen-address"
        }
        (ListenAddress::UnixSocket(_), AlreadyExists) => {
            "remove the file, or choose another path with --web.listen-address"
        }
        (ListenAddress::UnixSocket(_), _) => {
            "the folder must exist, and let the user that the exporter runs as write there"
        }
    }
}

/// Listens on addresses. Port 0 takes a free port, and no host stands for every interface,
/// IPv4 and IPv6. An address that one of the other addresses includes, as `[::]:1` includes
/// `0.0.0.0:1`, needs no listener. The file of a unix socket is removed with its listener.
///
/// # Errors
/// [`BindErrors`], one for each name that is unknown and each address that cannot be taken.
pub async fn bind(addresses: &[ListenAddress]) -> Result<Vec<Listener>, BindErrors> {
    let (listeners, mut errors) = bind_ports(addresses).await;
    let mut listeners: Vec<Listener> = listeners.into_iter().map(Listener::from).collect();
    for path in unix_sockets(addresses) {
        match UnixSocket::listen(path).await {
            Ok(socket) => listeners.push(socket.into()),
            Err(error) => errors.push(of_unix_socket(path, error)),
        }
    }
    if errors.is_empty() {
        Ok(listeners)
    } else {
        Err(BindErrors(errors))
    }
}

/// Fails where [`bind`] would, and keeps no address. The file of a unix socket that a process
/// has left behind stays as it is.
///
/// # Errors
/// Those of [`bind`].
pub async fn try_binding(addresses: &[ListenAddress]) -> Result<(), BindErrors> {
    let (_, mut errors) = bind_ports(addresses).await;
    for path in unix_sockets(addresses) {
        if let Err(error) = UnixSocket::try_listening(path).await {
            errors.push(of_unix_socket(path, error));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(BindErrors(errors))
    }
}

fn of_unix_socket(path: &Path, error: io::Error) -> BindError {
    let address = ListenAddress::UnixSocket(path.to_owned());
    BindError { address, error }
}

/// Returns the paths of the unix sockets, each of them once.
fn unix_sockets(addresses: &[ListenAddress]) -> Vec<&Path> {
    let mut paths = Vec::new();
    for address in addresses {
        if let ListenAddress::UnixSocket(path) = address
            && !paths.contains(&path.as_path())
        {
            paths.push(path.as_path());
        }
    }
    paths
}

/// Listens on the ports among the addresses.
async fn bind_ports(addresses: &[ListenAddress]) -> (Vec<TcpListener>, Vec<BindError>) {
    let mut listeners = Vec::new();
    let mut left = Vec::new();
    // The addresses that include others come first.
    let is_wide = |host: Option<&str>| host.is_none_or(|host| host == "::");
    let ports = addresses.iter().filter_map(|address| match address {
        ListenAddress::Port { host, port } => Some((host.as_deref(), *port)),
        ListenAddress::UnixSocket(_) => None,
    });
    let (wide, narrow): (Vec<_>, Vec<_>) = ports.partition(|(host, _)| is_wide(*host));
    for (host, port) in wide.into_iter().chain(narrow) {
        match bind_port(host, port).await {
            Ok(listener) => listeners.push(listener),
            Err(error) => left.push((host, port, error)),
        }
    }
    let mut errors = Vec::new();
    for (host, port, error) in left {
        if !is_included(host, port, &listeners).await {
            let host = host.map(str::to_owned);
            let address = ListenAddress::Port { host, port };
            errors.push(BindError { address, error });
        }
    }
    (listeners, errors)
}

async fn bind_port(host: Option<&str>, port: u16) -> io::Result<TcpListener> {
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
            let address = |host: Option<&str>| ListenAddress::Port {
                host: host.map(str::to_owned),
                port,
            };
            let addresses: Vec<_> = hosts.iter().copied().map(address).collect();
            let bound = bind(&addresses).await;
            assert_eq!(bound.expect("listeners").len(), expected, "{hosts:?}");
        }
    }

    #[tokio::test]
    async fn each_port_that_is_taken_is_named_once_with_what_to_do() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let addresses = [&*format!("127.0.0.1:{port}"), "no.such.invalid:1"];
        let addresses = addresses.map(|address| address.parse().expect("an address"));
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
