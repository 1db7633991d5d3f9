//! From checked settings and PEM to what rustls serves with.

use std::sync::Arc;

use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
};

use crate::client_certificates::{AnyCertificate, NamedCertificate};
use crate::settings::{AllowedName, ClientCertificates, TlsSettings};

/// What the files hold, as it was read.
#[derive(Default)]
pub(super) struct PemTexts {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) authority: Vec<u8>,
}

/// Makes the settings ready to serve.
///
/// # Errors
/// What is wrong, and with which setting; shows nothing of the PEM.
pub(super) fn server_config(
    settings: &TlsSettings,
    texts: &PemTexts,
) -> Result<Arc<ServerConfig>, String> {
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
        .map_err(|error| format!("tls_server_config cannot be used: {error}"))?;
    let is_asked = verifier.is_some();
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| format!("cert_file and key_file do not fit together: {error}"))?;
    config.ignore_client_order = settings.prefer_server_cipher_suites;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if is_asked {
        // A session that is taken up again would not be looked at again.
        config.session_storage = Arc::new(NoServerSessionStorage {});
    }
    Ok(Arc::new(config))
}

fn certificates(setting: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    // The errors of the reader show lines of the file.
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(format!(
            "{setting} holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----"
        )),
    }
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| {
        "key_file holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1, not encrypted)".to_owned()
    })
}

/// `None` where clients are not asked for a certificate.
fn verifier(
    clients: &ClientCertificates,
    authority: &[u8],
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
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
                let added = roots.add(certificate);
                added.map_err(|error| format!("client_ca_file cannot be used: {error}"))?;
            }
            let provider = Arc::clone(provider);
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = if *required {
                verifier
            } else {
                verifier.allow_unauthenticated()
            };
            let verifier = verifier.build();
            let verifier =
                verifier.map_err(|error| format!("client_ca_file cannot be used: {error}"))?;
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
