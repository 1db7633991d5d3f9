//! The settings of a web configuration file.
//!
//! [`WebSettings::parse`] turns the text of a file into settings that can be served
//! with, or into everything that is wrong with it. It reads no file: paths stay paths.
//! A server reads its settings by [`WebConfigFile`](crate::WebConfigFile); this module
//! is for programs that look at the text alone.
//!
//! An option that this crate cannot keep, or that leaves a server more open than it
//! looks, is refused by its name. No error shows a value.
//!
//! The format:
//! <https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>

mod http;
mod password_hash;
mod rate_limit;
mod tls;

pub use password_hash::{PasswordHash, PasswordHashError};
pub use rate_limit::RateLimit;
pub use tls::{AllowedName, ClientCertificates, Pem, TlsSettings};

use std::{collections::BTreeMap, fmt, path::Path};

use yaml_tree::{YamlEntry, YamlError};

/// The sections of a file.
const SECTIONS: [&str; 4] = [
    "tls_server_config",
    "http_server_config",
    "basic_auth_users",
    "rate_limit",
];

/// The settings of a web configuration file, checked.
#[derive(Debug, Clone, Default)]
pub struct WebSettings {
    /// The settings of TLS; `None` for plain HTTP.
    pub tls: Option<TlsSettings>,
    /// The headers of every response. Each name is one of five, and each value fits
    /// into a header.
    pub headers: Vec<(&'static str, String)>,
    /// The users and their passwords. Requests need no password if there is no user.
    pub users: BTreeMap<String, PasswordHash>,
    /// The rate limit; `None` if every request is answered.
    pub rate_limit: Option<RateLimit>,
}

impl WebSettings {
    /// Reads the text of a file that lies in `folder`, where relative paths begin.
    ///
    /// # Errors
    /// Returns all problems at once, in the order of the file.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<YamlError>> {
        let document = yaml_tree::parse(text).map_err(|problem| vec![problem])?;
        let mut check = WebConfigCheck::default();
        let settings = check.document(&document, folder);
        if check.problems.is_empty() {
            return Ok(settings);
        }
        check.problems.sort();
        Err(check.problems)
    }

    /// Returns a sentence for each setting that is weaker than it may look.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        if self.tls.is_none() && !self.users.is_empty() {
            warnings.push("passwords are asked for without TLS: the network can read them");
        }
        let clients = self.tls.as_ref().map(|tls| &tls.clients);
        if let Some(ClientCertificates::Any { .. }) = clients {
            warnings.push(
                "RequireAnyClientCert lets in any client that makes itself a certificate; RequireAndVerifyClientCert lets in those that client_ca_file has signed",
            );
        }
        warnings
    }
}

/// Collects problems. The value of a setting that has one is `None`.
#[derive(Default)]
struct WebConfigCheck {
    problems: Vec<YamlError>,
}

/// The entries of one section that are options of it.
struct Section<'a>(Vec<&'a YamlEntry>);

impl<'a> Section<'a> {
    fn get(&self, option: &str) -> Option<&'a YamlEntry> {
        self.0.iter().find(|entry| entry.key == option).copied()
    }
}

impl WebConfigCheck {
    fn ok<T>(&mut self, result: Result<T, YamlError>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn report(&mut self, entry: &YamlEntry, problem: impl fmt::Display) {
        self.problems.push(entry.error(problem));
    }

    /// Reports every entry that is none of `options`.
    fn section<'a>(&mut self, entries: &'a [YamlEntry], options: &[&str]) -> Section<'a> {
        let is_option = |entry: &&YamlEntry| options.contains(&&*entry.key);
        let (known, unknown): (Vec<_>, Vec<_>) = entries.iter().partition(is_option);
        for entry in unknown {
            let options = listed(options);
            self.report(entry, format!("is unknown; the options are {options}"));
        }
        Section(known)
    }

    /// The result is of use only if no problem was found.
    fn document(&mut self, document: &[YamlEntry], folder: &Path) -> WebSettings {
        let sections = self.section(document, &SECTIONS);
        let tls = sections.get("tls_server_config");
        let http = sections.get("http_server_config");
        let users = sections.get("basic_auth_users");
        let rate_limit = sections.get("rate_limit");
        WebSettings {
            tls: tls.and_then(|section| self.tls(section, folder)),
            headers: http
                .and_then(|section| self.http(section))
                .unwrap_or_default(),
            users: users
                .and_then(|section| self.users(section))
                .unwrap_or_default(),
            rate_limit: rate_limit.and_then(|section| self.rate_limit(section)),
        }
    }
}

/// Returns the names as a list such as `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests;
