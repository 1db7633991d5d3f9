//! Addresses to listen on.

use std::{
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// What an address of a unix socket begins with, as in nginx.
const UNIX: &str = "unix:";
/// The longest path of a unix socket, in bytes: the system has room for one more, which ends
/// the path.
const MAX_UNIX_PATH: usize = 107;

/// An address to listen on, as users of Prometheus exporters write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// A port of TCP.
    Port {
        /// A name, or an address without brackets; `None` for every interface.
        host: Option<String>,
        /// The port; 0 takes a free port.
        port: u16,
    },
    /// A unix socket with this absolute path.
    UnixSocket(PathBuf),
}

/// The reason why a text is not an address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    /// The text is neither a port with its host nor a unix socket.
    #[error(
        "{0:?} is not an address; write it like :10610, 127.0.0.1:10610, [::1]:10610 or unix:/run/exporter/metrics.sock"
    )]
    Unreadable(String),
    /// The path of a unix socket is not absolute.
    #[error("{0:?} does not name a whole path; write it like unix:/run/exporter/metrics.sock")]
    RelativePath(String),
    /// The path of a unix socket is longer than the system allows.
    #[error("{0:?} has a path of more than {MAX_UNIX_PATH} bytes; choose a shorter one")]
    LongPath(String),
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix(UNIX) {
            return unix_socket(Path::new(path), text);
        }
        let unreadable = || ListenAddressError::Unreadable(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(unreadable)?;
        let port = port.parse().map_err(|_| unreadable())?;
        let bare = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').ok_or_else(unreadable)?,
            // Without brackets, any colon of an IPv6 address may begin the port.
            None if host.contains(':') => return Err(unreadable()),
            None => host,
        };
        if bare.contains(['[', ']', ' ', '/']) {
            return Err(unreadable());
        }
        let host = (!bare.is_empty()).then(|| bare.to_owned());
        Ok(Self::Port { host, port })
    }
}

fn unix_socket(path: &Path, text: &str) -> Result<ListenAddress, ListenAddressError> {
    if !path.is_absolute() || path.file_name().is_none() {
        return Err(ListenAddressError::RelativePath(text.to_owned()));
    }
    // `unix:///run/x` is what others write for the same path.
    let path: PathBuf = path.components().collect();
    if path.as_os_str().as_bytes().len() > MAX_UNIX_PATH {
        return Err(ListenAddressError::LongPath(text.to_owned()));
    }
    Ok(ListenAddress::UnixSocket(path))
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port { host: None, port } => write!(formatter, ":{port}"),
            Self::Port {
                host: Some(host),
                port,
            } if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Self::Port {
                host: Some(host),
                port,
            } => write!(formatter, "{host}:{port}"),
            Self::UnixSocket(path) => write!(formatter, "{UNIX}{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for text in [
            ":10610",
            "127.0.0.1:0",
            "[::1]:10610",
            "localhost:1",
            "[::]:65535",
            "unix:/run/exporter/metrics.sock",
        ] {
            let address: ListenAddress = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
        }
        for text in [
            "",
            "10610",
            "::1:10610",
            "[::1:1",
            "localhost",
            "a:65536",
            "http://a:1",
            "a b:1",
            "[a b]:1",
            "[[::1]]:1",
            "a[b:1",
            "unix:",
            "unix:/",
            "unix:metrics.sock",
            "unix:10610",
            "unix:@abstract",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_path_of_a_unix_socket_is_written_in_one_way_and_fits_the_system() {
        let address: ListenAddress = "unix:///run//x.sock".parse().expect("an address");
        assert_eq!(address.to_string(), "unix:/run/x.sock");
        let of_length = |length| format!("unix:/{}", "x".repeat(length - 1)).parse();
        let longest: Result<ListenAddress, _> = of_length(MAX_UNIX_PATH);
        assert!(longest.is_ok());
        let error = of_length(MAX_UNIX_PATH + 1).expect_err("a path that is too long");
        assert!(matches!(error, ListenAddressError::LongPath(_)), "{error}");
    }
}
