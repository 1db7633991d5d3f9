//! The options of `tls_server_config` that say which clients may connect.

use std::path::Path;

use rustls::pki_types::IpAddr;
use yaml_tree::YamlEntry;

use super::{Pem, PemEntries, Section, WebConfigCheck};

/// The certificates that clients have to show.
#[derive(Debug, Clone)]
pub enum ClientCertificates {
    /// Clients are not asked for a certificate. `RequestClientCert` is the same, since
    /// nothing looks at a certificate that is merely requested.
    None,
    /// Clients have to show a certificate, which anyone may have signed.
    Any {
        /// The names, of which the certificate must have one; if there are none, any name
        /// is accepted.
        names: Vec<AllowedName>,
    },
    /// Clients have to show a certificate that an authority signed.
    Verified {
        /// The certificates of the authority.
        authority: Pem,
        /// `true` if a client without a certificate is refused.
        required: bool,
        /// The names, of which the certificate must have one; if there are none, any name
        /// is accepted.
        names: Vec<AllowedName>,
    },
}

/// A Subject Alternative Name of a client that may connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedName {
    /// An IP address.
    Address(IpAddr),
    /// A DNS name or a URI, compared byte by byte.
    Text(String),
}

impl WebConfigCheck {
    pub(super) fn clients(
        &mut self,
        options: &Section<'_>,
        folder: &Path,
    ) -> Option<ClientCertificates> {
        let entries = PemEntries::find(options, "client_ca");
        let authority = self.pem(&entries, folder);
        let allowed = options.get("client_allowed_sans");
        let names = self.names(allowed);
        let auth_type = options.get("client_auth_type");
        let asked = match auth_type {
            Some(entry) => self.ok(entry.text())?,
            None => "",
        };
        match asked {
            "" | "NoClientCert" | "RequestClientCert" => {
                self.report_unused(entries.given());
                self.report_unused(allowed);
                Some(ClientCertificates::None)
            }
            "RequireAnyClientCert" | "RequireClientCert" => {
                self.report_unused(entries.given());
                Some(ClientCertificates::Any { names: names? })
            }
            "VerifyClientCertIfGiven" | "RequireAndVerifyClientCert" => {
                let required = asked == "RequireAndVerifyClientCert";
                if !required {
                    self.report_unused(allowed);
                }
                self.need_authority(auth_type?, &entries);
                Some(ClientCertificates::Verified {
                    authority: authority?,
                    required,
                    names: names?,
                })
            }
            _ => {
                self.report(auth_type?, "must be NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert");
                None
            }
        }
    }

    /// Reports an option without effect, which would seem to keep clients out.
    fn report_unused(&mut self, entry: Option<&YamlEntry>) {
        if let Some(entry) = entry {
            self.report(
                entry,
                "has an effect only with client_auth_type RequireAndVerifyClientCert; set that, or remove this option",
            );
        }
    }

    fn need_authority(&mut self, entry: &YamlEntry, authority: &PemEntries<'_>) {
        if authority.given().is_none() {
            self.report(
                entry,
                "needs client_ca_file or client_ca: any public authority could vouch for clients without it",
            );
        }
    }

    fn names(&mut self, entry: Option<&YamlEntry>) -> Option<Vec<AllowedName>> {
        let Some(entry) = entry else {
            return Some(Vec::new());
        };
        let texts = self.ok(entry.texts())?;
        if texts.is_empty() {
            self.report(
                entry,
                "has no names; name the clients that may connect, or remove it",
            );
            return None;
        }
        let mut names = Vec::new();
        for text in texts {
            if text.contains('@') && !text.contains("://") {
                self.report(
                    entry,
                    "has an e-mail address, which is not supported; name clients by DNS name, IP address or URI",
                );
                return None;
            }
            let address = IpAddr::try_from(text).map(AllowedName::Address);
            names.push(address.unwrap_or_else(|_| AllowedName::Text(text.to_owned())));
        }
        Some(names)
    }
}
