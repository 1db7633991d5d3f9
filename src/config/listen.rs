//! Addresses to listen on.

use std::{fmt, str::FromStr};

use super::ValueError;

/// An address to listen on, as users of Prometheus exporters write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// A name, or an address without brackets; `None` for every interface.
    pub host: Option<String>,
    /// The port; 0 takes a free port.
    pub port: u16,
}

impl FromStr for ListenAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unreadable = || ValueError::Address(text.to_owned());
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
        Ok(Self { host, port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            None => write!(formatter, ":{}", self.port),
            Some(host) if host.contains(':') => write!(formatter, "[{host}]:{}", self.port),
            Some(host) => write!(formatter, "{host}:{}", self.port),
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
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }
}
