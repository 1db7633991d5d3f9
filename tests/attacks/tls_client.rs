//! A TLS client whose certificates and versions a test chooses.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use test_support::certificates::{Authority, Pair};

/// The time limit of a read: a slower answer is a defect.
const READ_LIMIT: Duration = Duration::from_secs(20);

/// The authority that the client trusts, the certificate that it shows, and the
/// versions that it speaks.
pub(crate) struct TlsClient {
    config: ClientConfig,
}

impl TlsClient {
    pub(crate) fn new(authority: &Authority, shows: Option<&Pair>) -> Self {
        Self::speaking(authority, shows, ALL_VERSIONS)
    }

    pub(crate) fn speaking(
        authority: &Authority,
        shows: Option<&Pair>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der()).expect("an authority");
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        let config = match shows.map(Pair::der) {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).expect("a pair"),
            None => builder.with_no_client_auth(),
        };
        Self { config }
    }

    /// Returns the status and the whole answer, or why there is none.
    pub(crate) fn get(
        &self,
        address: SocketAddr,
        path: &str,
        password: Option<&str>,
    ) -> Result<(u16, String), String> {
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(Arc::new(self.config.clone()), name);
        let stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(READ_LIMIT)).expect("a stream");
        let mut stream = StreamOwned::new(connection.expect("a connection"), stream);
        let password = password.map(basic).unwrap_or_default();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{password}\r\n");
        let asked = stream.write_all(request.as_bytes());
        asked.map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        read.map_err(|error| error.to_string())?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Ok((status.ok_or_else(|| answer.clone())?, answer))
    }
}

/// Returns the header that authenticates `alice`.
pub(crate) fn basic(password: &str) -> String {
    let encoded = STANDARD.encode(format!("alice:{password}"));
    format!("Authorization: Basic {encoded}\r\n")
}
