//! TLS, client certificates and passwords.

use std::{fs, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertifiedKey, KeyPair};
use rustls::{
    AlertDescription, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{
    io::{self, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::running::{Running, ask, read_head, send};

const PASSWORD: &str = "correct horse";
pub(crate) const TLS: &str =
    "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

fn users() -> String {
    let hash = bcrypt::hash(PASSWORD, 4).expect("a hash");
    format!("basic_auth_users:\n  alice: {hash}\n")
}

fn basic(password: &str) -> String {
    let encoded = STANDARD.encode(format!("alice:{password}"));
    format!("Authorization: Basic {encoded}\r\n")
}

pub(crate) fn self_signed(name: &str) -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate")
}

fn certificate(pair: &CertifiedKey<KeyPair>) -> CertificateDer<'static> {
    pair.cert.der().clone()
}

fn key(pair: &CertifiedKey<KeyPair>) -> PrivateKeyDer<'static> {
    let pem = pair.signing_key.serialize_pem();
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect("a key")
}

/// A folder with the certificate of `localhost`.
pub(crate) fn folder(server: &CertifiedKey<KeyPair>) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, pem: String| {
        fs::write(folder.path().join(name), pem).expect("a file");
    };
    write("server.pem", server.cert.pem());
    write("server.key", server.signing_key.serialize_pem());
    folder
}

/// Connects a client that trusts `server` and shows `shown`.
pub(crate) async fn connect(
    running: &Running,
    server: &CertifiedKey<KeyPair>,
    shown: Option<&CertifiedKey<KeyPair>>,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(server)).expect("a certificate");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let config = match shown {
        Some(pair) => builder
            .with_client_auth_cert(vec![certificate(pair)], key(pair))
            .expect("a certificate"),
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from("localhost").expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, running.connect().await).await
}

#[tokio::test]
async fn a_password_lets_in_and_nothing_else_does() {
    let server = Running::start(&users()).await;
    for (headers, status) in [
        (String::new(), 401),
        (basic("wrong"), 401),
        (basic(PASSWORD), 200),
    ] {
        let answer = ask(server.connect().await, "/", &headers).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, status, "{headers}");
        let asked = answer.header("www-authenticate");
        assert_eq!(asked.is_empty(), status == 200, "{asked:?}");
    }
}

#[tokio::test]
async fn tls_and_a_password_go_together() {
    let pair = self_signed("localhost");
    let server = Running::start_with(folder(&pair), &format!("{TLS}{}", users())).await;
    for (password, status) in [("wrong", 401), (PASSWORD, 200)] {
        let stream = connect(&server, &pair, None).await.expect("TLS");
        let answer = ask(stream, "/metrics", &basic(password)).await;
        assert_eq!(answer.expect("an answer").status, status);
    }
    let plain = ask(server.connect().await, "/", &basic(PASSWORD)).await;
    assert_eq!(plain.expect("an answer").status, 400);
}

#[tokio::test]
async fn clients_show_the_certificate_that_is_asked_for() {
    let (pair, scraper, other) = (
        self_signed("localhost"),
        self_signed("scraper.test"),
        self_signed("other.test"),
    );
    let folder = folder(&pair);
    fs::write(folder.path().join("ca.pem"), scraper.cert.pem()).expect("a file");
    let clients = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";
    let server = Running::start_with(folder, &format!("{TLS}{clients}")).await;
    for (shown, is_let_in) in [(None, false), (Some(&other), false), (Some(&scraper), true)] {
        // In TLS 1.3 a client learns after its handshake that it was refused.
        let answer = match connect(&server, &pair, shown).await {
            Ok(stream) => ask(stream, "/", "").await,
            Err(error) => Err(error),
        };
        assert_eq!(answer.is_ok(), is_let_in, "{answer:?}");
    }
}

/// A client that writes to a connection that is closed fails before it reads what it was told.
#[tokio::test]
async fn a_client_that_still_sends_when_it_is_refused_can_read_why() {
    let pair = self_signed("localhost");
    let clients = "  client_auth_type: RequireAnyClientCert\n";
    let server = Running::start_with(folder(&pair), &format!("{TLS}{clients}")).await;
    let mut stream = connect(&server, &pair, None).await.expect("TLS");
    stream.get_ref().0.peek(&mut [0]).await.expect("an alert");
    send_slowly(&mut stream).await.expect("a server that reads");
    let error = stream.read_u8().await.expect_err("no certificate");
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    let alert = rustls::Error::AlertReceived(AlertDescription::CertificateRequired);
    assert_eq!(cause, Some(&alert), "{error}");

    let mut stream = server.connect().await;
    send(&mut stream, "/", "")
        .await
        .expect("a server that reads");
    stream.peek(&mut [0]).await.expect("an answer");
    send_slowly(&mut stream).await.expect("a server that reads");
    let head = read_head(&mut stream).await;
    assert!(head.contains("400 Bad Request"), "{head}");
}

/// Sends bytes in pieces, between which the server runs.
async fn send_slowly(stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    for _ in 0..8 {
        stream.write_all(&[b'x'; 1000]).await?;
        stream.flush().await?;
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_site_can_tell_what_its_clients_need() {
    let any = "  client_auth_type: RequireAnyClientCert\n";
    let cases = [
        (String::new(), (false, false, false)),
        (users(), (false, false, true)),
        (TLS.to_owned(), (true, false, false)),
        (format!("{TLS}{any}{}", users()), (true, true, true)),
    ];
    for (web_config, expected) in cases {
        let server = Running::start_with(folder(&self_signed("localhost")), &web_config).await;
        let needs = server.web_config.client_needs();
        let found = (needs.tls, needs.certificate, needs.password);
        assert_eq!(found, expected, "{web_config}");
    }
    let mut headers = hyper::HeaderMap::new();
    assert_eq!(exporter_web::basic_auth_user(&headers), None);
    let encoded = format!("Basic {}", STANDARD.encode("alice:secret"));
    headers.insert("authorization", encoded.parse().expect("a value"));
    let user = exporter_web::basic_auth_user(&headers);
    assert_eq!(user.as_deref(), Some("alice"));
}
