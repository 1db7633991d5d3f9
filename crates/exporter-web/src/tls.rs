//! Turns checked settings and PEM into the configuration of rustls.

use std::sync::Arc;

use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{
        NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier,
        danger::ClientCertVerifier,
    },
};

use crate::client_certificates::{AnyCertificate, NamedCertificate};
use crate::settings::{AllowedName, ClientCertificates, TlsSettings};

/// The reason why rustls cannot serve with the settings. No message shows any of the PEM.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{setting} holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate { setting: &'static str },
    #[error("key_file holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1, not encrypted)")]
    NoKey,
    #[error("cert_file and key_file do not belong together: {0}")]
    Mismatch(#[source] rustls::Error),
    #[error("client_ca_file cannot be used: {0}")]
    Authority(#[source] rustls::Error),
    #[error("client_ca_file cannot be used: {0}")]
    Verifier(#[source] VerifierBuilderError),
    #[error("tls_server_config cannot be used: {0}")]
    Protocol(#[source] rustls::Error),
}

/// The contents of the files, as they were read.
#[derive(Default)]
pub(crate) struct PemTexts {
    pub(crate) certificate: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) authority: Vec<u8>,
}

/// Makes the configuration that rustls serves with.
pub(crate) fn server_config(
    settings: &TlsSettings,
    texts: &PemTexts,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(CryptoProvider {
        cipher_suites: settings.cipher_suites.clone(),
        kx_groups: settings.curves.clone(),
        ..rustls::crypto::ring::default_provider()
    });
    let chain = certificates("cert_file", &texts.certificate)?;
    let key = private_key(&texts.key)?;
    let verifier = verifier(&settings.clients, &texts.authority, &provider)?;
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&settings.versions)
        .map_err(TlsError::Protocol)?;
    let verifies_clients = verifier.is_some();
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(TlsError::Mismatch)?;
    config.ignore_client_order = settings.prefer_server_cipher_suites;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if verifies_clients {
        // The certificate of a client is not verified again when it resumes a session.
        config.session_storage = Arc::new(NoServerSessionStorage {});
    }
    Ok(Arc::new(config))
}

fn certificates(
    setting: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    // The errors of the PEM reader are dropped: they show lines of the file.
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(TlsError::NoCertificate { setting }),
    }
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsError::NoKey)
}

/// Returns `None` if clients are not asked for a certificate.
fn verifier(
    clients: &ClientCertificates,
    authority: &[u8],
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    Ok(match clients {
        ClientCertificates::None => None,
        ClientCertificates::Any { names } => {
            let any = AnyCertificate::new(provider.signature_verification_algorithms);
            Some(named(Arc::new(any), names))
        }
        ClientCertificates::Verified {
            required, names, ..
        } => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("client_ca_file", authority)? {
                roots.add(certificate).map_err(TlsError::Authority)?;
            }
            let provider = Arc::clone(provider);
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if *required {
                verifier
            } else {
                verifier.allow_unauthenticated()
            };
            let verifier = verifier.build().map_err(TlsError::Verifier)?;
            Some(named(verifier, names))
        }
    })
}

fn named(
    verifier: Arc<dyn ClientCertVerifier>,
    names: &[AllowedName],
) -> Arc<dyn ClientCertVerifier> {
    if names.is_empty() {
        verifier
    } else {
        Arc::new(NamedCertificate::new(verifier, names.to_vec()))
    }
}
