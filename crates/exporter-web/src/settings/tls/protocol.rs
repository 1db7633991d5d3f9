//! The options of `tls_server_config` that say how connections are encrypted.

use rustls::{
    SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{
        SupportedKxGroup,
        ring::{ALL_CIPHER_SUITES, kx_group},
    },
    version::{TLS12, TLS13},
};
use yaml_tree::YamlEntry;

use super::{Section, WebConfigCheck};

/// Cipher suites that Go knows and that are refused.
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

/// See the fields of the same names of [`TlsSettings`](super::TlsSettings).
pub(super) struct Protocol {
    pub(super) versions: Vec<&'static SupportedProtocolVersion>,
    pub(super) cipher_suites: Vec<SupportedCipherSuite>,
    pub(super) curves: Vec<&'static dyn SupportedKxGroup>,
}

impl WebConfigCheck {
    pub(super) fn protocol(
        &mut self,
        section: &YamlEntry,
        options: &Section<'_>,
    ) -> Option<Protocol> {
        let versions = self.versions(options);
        let suites = self.cipher_suites(options.get("cipher_suites"));
        let curves = self.curves(options.get("curve_preferences"));
        let (mut versions, cipher_suites) = (versions?, suites?);
        versions.retain(|version| {
            let mut suites = cipher_suites.iter();
            suites.any(|suite| suite.version() == *version)
        });
        if versions.is_empty() {
            self.report(
                section,
                "has no cipher suite for the versions that it allows",
            );
            return None;
        }
        Some(Protocol {
            versions,
            cipher_suites,
            curves: curves?,
        })
    }

    fn versions(
        &mut self,
        options: &Section<'_>,
    ) -> Option<Vec<&'static SupportedProtocolVersion>> {
        let max = options.get("max_version");
        let oldest = self.version(options.get("min_version"), &TLS12);
        let newest = self.version(max, &TLS13);
        let (oldest, newest) = (oldest?, newest?);
        let number = |version: &SupportedProtocolVersion| u16::from(version.version);
        if let Some(entry) = max
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
        entry: Option<&YamlEntry>,
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
                self.report(entry, "is below TLS12: TLS 1.0 and 1.1 are broken and not supported; write TLS12 or TLS13");
                None
            }
            _ => {
                self.report(entry, "must be TLS12 or TLS13");
                None
            }
        }
    }

    /// A list that names no suite of TLS 1.3 leaves all of those on, as in Go, which
    /// always offers them. A list that names some of them turns the others off.
    fn cipher_suites(&mut self, entry: Option<&YamlEntry>) -> Option<Vec<SupportedCipherSuite>> {
        let texts = match entry {
            Some(entry) => self.ok(entry.texts())?,
            None => Vec::new(),
        };
        let (Some(entry), false) = (entry, texts.is_empty()) else {
            return Some(ALL_CIPHER_SUITES.to_vec());
        };
        let mut suites: Vec<_> = texts
            .into_iter()
            .filter_map(|text| self.cipher_suite(entry, text))
            .collect();
        if !suites.iter().any(is_of_tls_1_3) {
            suites.extend(ALL_CIPHER_SUITES.iter().copied().filter(is_of_tls_1_3));
        }
        Some(suites)
    }

    fn cipher_suite(&mut self, entry: &YamlEntry, text: &str) -> Option<SupportedCipherSuite> {
        let mut suites = ALL_CIPHER_SUITES.iter().copied();
        let suite = suites.find(|suite| suite_name(suite) == text);
        if suite.is_none() {
            let problem = if OLD_SUITES.contains(&text) {
                format!(
                    "has {text}, which is not supported: CBC, RC4 and RSA key exchange are weak; remove it"
                )
            } else {
                let names: Vec<_> = ALL_CIPHER_SUITES.iter().map(suite_name).collect();
                format!("has an unknown suite; the suites are {}", names.join(", "))
            };
            self.report(entry, problem);
        }
        suite
    }

    fn curves(&mut self, entry: Option<&YamlEntry>) -> Option<Vec<&'static dyn SupportedKxGroup>> {
        let texts = match entry {
            Some(entry) => self.ok(entry.texts())?,
            None => Vec::new(),
        };
        let (Some(entry), false) = (entry, texts.is_empty()) else {
            return Some(vec![
                kx_group::X25519,
                kx_group::SECP256R1,
                kx_group::SECP384R1,
            ]);
        };
        let curves = texts.into_iter();
        Some(curves.filter_map(|text| self.curve(entry, text)).collect())
    }

    fn curve(&mut self, entry: &YamlEntry, text: &str) -> Option<&'static dyn SupportedKxGroup> {
        let problem = match text {
            "X25519" => return Some(kx_group::X25519),
            "CurveP256" => return Some(kx_group::SECP256R1),
            "CurveP384" => return Some(kx_group::SECP384R1),
            "CurveP521" => "has CurveP521, which is not supported; remove it",
            _ => "has an unknown curve; the curves are X25519, CurveP256 and CurveP384",
        };
        self.report(entry, problem);
        None
    }
}

fn is_of_tls_1_3(suite: &SupportedCipherSuite) -> bool {
    suite.tls13().is_some()
}

/// Returns the name in the standard, which Go uses too.
fn suite_name(suite: &SupportedCipherSuite) -> String {
    let name = format!("{:?}", suite.suite());
    name.replace("TLS13_", "TLS_")
}
