//! The section `tls_server_config`.

mod clients;
mod protocol;

pub use clients::{AllowedName, ClientCertificates};

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rustls::{SupportedCipherSuite, SupportedProtocolVersion, crypto::SupportedKxGroup};
use secrecy::SecretString;
use yaml_tree::YamlEntry;

use super::{Section, WebConfigCheck};

const OPTIONS: [&str; 13] = [
    "cert",
    "cert_file",
    "key",
    "key_file",
    "client_ca",
    "client_ca_file",
    "client_auth_type",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
];

/// The settings of TLS: how connections are encrypted, and which clients may connect.
#[derive(Debug, Clone)]
pub struct TlsSettings {
    /// The chain of certificates, the server's own first.
    pub certificate: Pem,
    /// The private key of the server's certificate.
    pub key: Pem,
    /// The certificates that clients have to show.
    pub clients: ClientCertificates,
    /// The versions that are spoken, the newest first; never empty, and each has a
    /// cipher suite.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// The cipher suites, the most wanted first.
    pub cipher_suites: Vec<SupportedCipherSuite>,
    /// `true` if the order of `cipher_suites` decides, and not the client's order.
    pub prefer_server_cipher_suites: bool,
    /// The curves of the key exchange, the most wanted first; never empty.
    pub curves: Vec<&'static dyn SupportedKxGroup>,
}

/// The place of a certificate or a key in PEM.
#[derive(Clone)]
pub enum Pem {
    /// The PEM itself, from within the web configuration file.
    Inline(SecretString),
    /// The path of a file that holds the PEM.
    File(PathBuf),
}

impl fmt::Debug for Pem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => formatter.write_str("Inline(..)"),
            Self::File(path) => write!(formatter, "File({})", path.display()),
        }
    }
}

/// The two options that name the same PEM.
struct PemEntries<'a> {
    inline: Option<&'a YamlEntry>,
    file: Option<&'a YamlEntry>,
}

impl<'a> PemEntries<'a> {
    /// The options `name` and `name_file`.
    fn find(section: &Section<'a>, name: &str) -> Self {
        Self {
            inline: section.get(name),
            file: section.get(&format!("{name}_file")),
        }
    }

    /// Returns the option that is given. Empty text counts as if it were not there.
    fn given(&self) -> Option<&'a YamlEntry> {
        let entries = [self.file, self.inline].into_iter().flatten();
        entries.into_iter().find(|entry| entry.text() != Ok(""))
    }
}

impl WebConfigCheck {
    /// Returns `None` also if the section is empty.
    pub(super) fn tls(&mut self, section: &YamlEntry, folder: &Path) -> Option<TlsSettings> {
        let entries = self.ok(section.map())?;
        if entries.is_empty() {
            return None;
        }
        let options = self.section(entries, &OPTIONS);
        let certificate = self.own_pem(section, &options, "cert", folder);
        let key = self.own_pem(section, &options, "key", folder);
        let clients = self.clients(&options, folder);
        let prefer_server = options.get("prefer_server_cipher_suites");
        let prefer_server = prefer_server.and_then(|entry| self.ok(entry.flag()));
        let protocol = self.protocol(section, &options)?;
        Some(TlsSettings {
            certificate: certificate?,
            key: key?,
            clients: clients?,
            versions: protocol.versions,
            cipher_suites: protocol.cipher_suites,
            prefer_server_cipher_suites: prefer_server.flatten().unwrap_or(true),
            curves: protocol.curves,
        })
    }

    /// Reads PEM without which there is no TLS.
    fn own_pem(
        &mut self,
        section: &YamlEntry,
        options: &Section<'_>,
        name: &str,
        folder: &Path,
    ) -> Option<Pem> {
        let entries = PemEntries::find(options, name);
        if entries.given().is_none() {
            let problem = format!("needs {name}_file or {name}: there is no TLS without it");
            self.report(section, problem);
        }
        self.pem(&entries, folder)
    }

    fn pem(&mut self, entries: &PemEntries<'_>, folder: &Path) -> Option<Pem> {
        let mut text = |entry: Option<&YamlEntry>| {
            let text = entry.and_then(|entry| self.ok(entry.text()).map(str::to_owned));
            text.filter(|text| !text.is_empty())
        };
        let (file, inline) = (text(entries.file), text(entries.inline));
        match (entries.inline, inline, file) {
            (Some(entry), Some(_), Some(_)) => {
                self.report(
                    entry,
                    "is given beside the option of the same name with _file; keep one of the two",
                );
                None
            }
            (_, _, Some(file)) => Some(Pem::File(folder.join(file))),
            (_, Some(inline), _) => Some(Pem::Inline(inline.into())),
            _ => None,
        }
    }
}
