//! The section `tls_server_config`.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rustls::{
    SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{
        SupportedKxGroup,
        ring::{ALL_CIPHER_SUITES, kx_group},
    },
    pki_types::IpAddr,
    version::{TLS12, TLS13},
};
use secrecy::SecretString;
use yaml_tree::Entry;

use super::Check;

/// How connections are encrypted, and which clients are let in.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// The chain, the server's own certificate first.
    pub certificate: Pem,
    /// Its private key.
    pub key: Pem,
    /// What clients have to show.
    pub clients: ClientCertificates,
    /// The versions that are spoken; never empty, and each has a suite.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// The most wanted first.
    pub cipher_suites: Vec<SupportedCipherSuite>,
    /// Whether the order of `cipher_suites` decides, and not the client's.
    pub prefer_server_cipher_suites: bool,
    /// The most wanted first; never empty.
    pub curves: Vec<&'static dyn SupportedKxGroup>,
}

/// Where PEM is.
#[derive(Clone)]
pub enum Pem {
    /// In the file itself.
    Inline(SecretString),
    /// In another one.
    File(PathBuf),
}

/// What clients have to show.
#[derive(Debug, Clone)]
pub enum ClientCertificates {
    /// Nothing. Nothing is made of a certificate that is merely asked for, so that
    /// `RequestClientCert` is the same.
    None,
    /// Any certificate whose key they have.
    Any {
        /// Of these names, if any are given.
        names: Vec<AllowedName>,
    },
    /// A certificate of this authority.
    Verified {
        /// The authority.
        authority: Pem,
        /// Whether who shows none is refused.
        required: bool,
        /// Of these names, if any are given.
        names: Vec<AllowedName>,
    },
}

/// A Subject Alternative Name that is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedName {
    /// An IP address.
    Address(IpAddr),
    /// A DNS name or a URI, compared byte by byte.
    Text(String),
}

impl fmt::Debug for Pem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => formatter.write_str("Inline(..)"),
            Self::File(path) => write!(formatter, "File({})", path.display()),
        }
    }
}

/// The settings of the section, as they are found.
#[derive(Default)]
struct Found<'a> {
    certificate: Source<'a>,
    key: Source<'a>,
    authority: Source<'a>,
    clients: Option<&'a Entry>,
    names: Option<&'a Entry>,
    suites: Option<&'a Entry>,
    prefer_server: Option<bool>,
    curves: Option<&'a Entry>,
    oldest: Option<&'a Entry>,
    newest: Option<&'a Entry>,
}

/// A setting that is written in the file, or the path to it.
#[derive(Default)]
struct Source<'a> {
    inline: Option<&'a Entry>,
    file: Option<&'a Entry>,
}

impl Source<'_> {
    /// Empty text is as if it were not there.
    fn is_given(&self) -> bool {
        let entries = self.inline.into_iter().chain(self.file);
        entries.into_iter().any(|entry| entry.text() != Ok(""))
    }
}

impl Check {
    /// `None` also where the section says nothing.
    pub(super) fn tls(&mut self, section: &Entry, folder: &Path) -> Option<TlsSettings> {
        let entries = self.ok(section.map())?;
        if entries.is_empty() {
            return None;
        }
        let found = self.find(entries);
        let certificate = self.pem(&found.certificate, folder);
        let key = self.pem(&found.key, folder);
        let authority = self.pem(&found.authority, folder);
        for (name, source) in [("cert", &found.certificate), ("key", &found.key)] {
            if !source.is_given() {
                let problem = format!("needs {name}_file or {name}, without which there is no TLS");
                self.report(section, problem);
            }
        }
        let clients = self.clients(&found, authority);
        let versions = self.versions(&found);
        let suites = self.cipher_suites(found.suites);
        let curves = self.curves(found.curves);
        let (versions, cipher_suites) = (versions?, suites?);
        let spoken: Vec<_> = versions
            .into_iter()
            .filter(|version| {
                cipher_suites
                    .iter()
                    .any(|suite| suite.version() == *version)
            })
            .collect();
        if spoken.is_empty() {
            self.report(
                section,
                "has no cipher suite for the versions that it allows",
            );
            return None;
        }
        Some(TlsSettings {
            certificate: certificate?,
            key: key?,
            clients: clients?,
            versions: spoken,
            cipher_suites,
            prefer_server_cipher_suites: found.prefer_server.unwrap_or(true),
            curves: curves?,
        })
    }

    fn find<'a>(&mut self, entries: &'a [Entry]) -> Found<'a> {
        let mut found = Found::default();
        for entry in entries {
            match &*entry.key {
                "cert" => found.certificate.inline = Some(entry),
                "cert_file" => found.certificate.file = Some(entry),
                "key" => found.key.inline = Some(entry),
                "key_file" => found.key.file = Some(entry),
                "client_ca" => found.authority.inline = Some(entry),
                "client_ca_file" => found.authority.file = Some(entry),
                "client_auth_type" => found.clients = Some(entry),
                "client_allowed_sans" => found.names = Some(entry),
                "min_version" => found.oldest = Some(entry),
                "max_version" => found.newest = Some(entry),
                "cipher_suites" => found.suites = Some(entry),
                "curve_preferences" => found.curves = Some(entry),
                "prefer_server_cipher_suites" => {
                    found.prefer_server = self.ok(entry.flag()).flatten();
                }
                _ => self.unknown(entry, KEYS),
            }
        }
        found
    }

    fn pem(&mut self, source: &Source<'_>, folder: &Path) -> Option<Pem> {
        let file = source.file.map(|entry| self.ok(entry.text()));
        let inline = source.inline.map(|entry| self.ok(entry.text()));
        let file = file.unwrap_or_default().filter(|path| !path.is_empty());
        let inline = inline.unwrap_or_default().filter(|pem| !pem.is_empty());
        match (source.inline, inline, file) {
            (Some(entry), Some(_), Some(_)) => {
                self.report(entry, "is given beside the file of it; keep one of the two");
                None
            }
            (_, _, Some(file)) => Some(Pem::File(folder.join(file))),
            (_, Some(inline), _) => Some(Pem::Inline(inline.into())),
            _ => None,
        }
    }

    fn clients(&mut self, found: &Found<'_>, authority: Option<Pem>) -> Option<ClientCertificates> {
        let names = self.names(found.names);
        let asked = match found.clients {
            Some(entry) => self.ok(entry.text())?,
            None => "",
        };
        let unasked = |entry: Option<&Entry>, check: &mut Self, needs: &str| {
            if let Some(entry) = entry {
                let problem = format!(
                    "is looked at only with client_auth_type {needs}; set that, or take this away"
                );
                check.report(entry, problem);
            }
        };
        let authorities = found.authority.file.or(found.authority.inline);
        let authorities = authorities.filter(|_| found.authority.is_given());
        let clients = match asked {
            "" | "NoClientCert" | "RequestClientCert" => {
                unasked(authorities, self, "RequireAndVerifyClientCert");
                unasked(found.names, self, "RequireAndVerifyClientCert");
                ClientCertificates::None
            }
            "RequireAnyClientCert" | "RequireClientCert" => {
                unasked(authorities, self, "RequireAndVerifyClientCert");
                ClientCertificates::Any { names: names? }
            }
            "VerifyClientCertIfGiven" | "RequireAndVerifyClientCert" => {
                let required = asked == "RequireAndVerifyClientCert";
                if !required {
                    unasked(found.names, self, "RequireAndVerifyClientCert");
                }
                let entry = found.clients?;
                if !found.authority.is_given() {
                    self.report(entry, "needs client_ca_file or client_ca: without it any public authority would vouch for clients");
                }
                ClientCertificates::Verified {
                    authority: authority?,
                    required,
                    names: names?,
                }
            }
            _ => {
                self.report(found.clients?, "must be NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert");
                return None;
            }
        };
        Some(clients)
    }

    fn names(&mut self, entry: Option<&Entry>) -> Option<Vec<AllowedName>> {
        let Some(entry) = entry else {
            return Some(Vec::new());
        };
        let texts = self.ok(entry.texts())?;
        if texts.is_empty() {
            self.report(entry, "names nobody; name who is let in, or take it away");
            return None;
        }
        let mut names = Vec::new();
        for text in texts {
            if text.contains('@') && !text.contains("://") {
                self.report(entry, "has an e-mail address, which is not compared here; let clients in by DNS name, IP address or URI");
                return None;
            }
            let address = IpAddr::try_from(text).map(AllowedName::Address);
            names.push(address.unwrap_or_else(|_| AllowedName::Text(text.to_owned())));
        }
        Some(names)
    }

    fn versions(&mut self, found: &Found<'_>) -> Option<Vec<&'static SupportedProtocolVersion>> {
        let oldest = self.version(found.oldest, &TLS12);
        let newest = self.version(found.newest, &TLS13);
        let (oldest, newest) = (oldest?, newest?);
        let number = |version: &SupportedProtocolVersion| u16::from(version.version);
        if let Some(entry) = found.newest
            && number(oldest) > number(newest)
        {
            self.report(entry, "is below min_version");
            return None;
        }
        let allowed = number(oldest)..=number(newest);
        let versions = [&TLS13, &TLS12].into_iter();
        Some(
            versions
                .filter(|version| allowed.contains(&number(version)))
                .collect(),
        )
    }

    fn version(
        &mut self,
        entry: Option<&Entry>,
        default: &'static SupportedProtocolVersion,
    ) -> Option<&'static SupportedProtocolVersion> {
        let Some(entry) = entry else {
            return Some(default);
        };
        match self.ok(entry.text())? {
            "" => Some(default),
            "TLS12" => Some(&TLS12),
            "TLS13" => Some(&TLS13),
            "TLS10" | "TLS11" => {
                self.report(entry, "is below TLS12: TLS 1.0 and 1.1 are broken, and not spoken here; write TLS12 or TLS13");
                None
            }
            _ => {
                self.report(entry, "must be TLS12 or TLS13");
                None
            }
        }
    }

    /// Go has no list of suites for TLS 1.3, where all are good. Who lists some of
    /// them means it, and has those alone.
    fn cipher_suites(&mut self, entry: Option<&Entry>) -> Option<Vec<SupportedCipherSuite>> {
        let texts = match entry {
            Some(entry) => self.ok(entry.texts())?,
            None => Vec::new(),
        };
        let (Some(entry), false) = (entry, texts.is_empty()) else {
            return Some(ALL_CIPHER_SUITES.to_vec());
        };
        let mut suites = Vec::new();
        for text in texts {
            match suite(text) {
                Some(suite) => suites.push(suite),
                None if OLD_SUITES.contains(&text) => self.report(
                    entry,
                    format!("has {text}, which is not offered here: CBC, RC4 and RSA key exchange are weak; take it away"),
                ),
                None => self.report(
                    entry,
                    format!("has an unknown suite; there are {}", suite_names().join(", ")),
                ),
            }
        }
        if !suites.iter().any(|suite| suite.tls13().is_some()) {
            let newer = ALL_CIPHER_SUITES
                .iter()
                .filter(|suite| suite.tls13().is_some());
            suites.extend(newer);
        }
        Some(suites)
    }

    fn curves(&mut self, entry: Option<&Entry>) -> Option<Vec<&'static dyn SupportedKxGroup>> {
        let mut curves = Vec::new();
        if let Some(entry) = entry {
            for text in self.ok(entry.texts())? {
                curves.push(match text {
                    "X25519" => kx_group::X25519,
                    "CurveP256" => kx_group::SECP256R1,
                    "CurveP384" => kx_group::SECP384R1,
                    "CurveP521" => {
                        self.report(
                            entry,
                            "has CurveP521, which is not offered here; take it away",
                        );
                        continue;
                    }
                    _ => {
                        self.report(
                            entry,
                            "has an unknown curve; there are X25519, CurveP256 and CurveP384",
                        );
                        continue;
                    }
                });
            }
        }
        if curves.is_empty() {
            curves.extend([kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1]);
        }
        Some(curves)
    }
}

const KEYS: &str = "cert, cert_file, key, key_file, client_ca, client_ca_file, client_auth_type, client_allowed_sans, min_version, max_version, cipher_suites, prefer_server_cipher_suites and curve_preferences";

/// What Go knows besides, by name.
const OLD_SUITES: [&str; 16] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_RC4_128_SHA",
];

fn suite(name: &str) -> Option<SupportedCipherSuite> {
    let mut suites = ALL_CIPHER_SUITES.iter().copied();
    suites.find(|suite| suite_name(suite) == name)
}

fn suite_names() -> Vec<String> {
    ALL_CIPHER_SUITES.iter().map(suite_name).collect()
}

/// The names of the standard, as Go has them.
fn suite_name(suite: &SupportedCipherSuite) -> String {
    let name = format!("{:?}", suite.suite());
    name.replace("TLS13_", "TLS_")
}
