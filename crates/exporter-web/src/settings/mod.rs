//! The web configuration file, in the format of Prometheus' exporter-toolkit: from
//! its text to settings that can be trusted, or to everything that is wrong with it.
//! Reads no file: paths stay paths.
//!
//! What the exporter cannot do, and what would leave it more open than it looks, is
//! refused by name. No error shows a value.
//!
//! Source: <https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>

mod tls;

pub use tls::{AllowedName, ClientCertificates, Pem, TlsSettings};

use std::{collections::BTreeMap, fmt, num::NonZeroU32, path::Path, str::FromStr, time::Duration};

use bcrypt::HashParts;
use jiff::{Span, SpanRelativeTo};
use yaml_tree::{Entry, YamlError};

/// The most rounds of bcrypt, as a power of two: a quarter of a minute of work.
const MAX_COST: u32 = 18;

/// What a web configuration file says, checked.
#[derive(Debug, Clone, Default)]
pub struct WebSettings {
    /// `None` for plain HTTP.
    pub tls: Option<TlsSettings>,
    /// Headers of every answer; the names are fixed, the values fit into a header.
    pub headers: Vec<(&'static str, String)>,
    /// Who is let in by which password; nobody is asked where it is empty.
    pub users: BTreeMap<String, PasswordHash>,
    /// How often requests are answered.
    pub rate_limit: Option<RateLimit>,
}

/// A password as bcrypt keeps it. It is shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: String,
    cost: u32,
}

/// A bucket of `burst` requests that gains one per `interval`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Above 0.
    pub interval: Duration,
    /// Requests at once.
    pub burst: NonZeroU32,
}

impl PasswordHash {
    /// As the bcrypt crate takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The rounds as a power of two: what a look at a password costs.
    #[must_use]
    pub fn cost(&self) -> u32 {
        self.cost
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PasswordHash(cost {})", self.cost)
    }
}

impl FromStr for PasswordHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = HashParts::from_str(text).map_err(|_| {
            "is no bcrypt hash; make one with `htpasswd -nBC 10 \"\" | tr -d ':\\n'`".to_owned()
        })?;
        let cost = parts.get_cost();
        if !(4..=MAX_COST).contains(&cost) {
            return Err(format!(
                "has a bcrypt cost of {cost}, and from 4 to {MAX_COST} can be worked with; 10 is usual"
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            cost,
        })
    }
}

impl WebSettings {
    /// Reads the text of a file that lies in `folder`, which relative paths begin
    /// from.
    ///
    /// # Errors
    /// All problems at once, in the order of the file.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<YamlError>> {
        let document = yaml_tree::parse(text).map_err(|problem| vec![problem])?;
        let mut check = Check::default();
        let settings = check.document(&document, folder);
        if check.0.is_empty() {
            return Ok(settings);
        }
        check.0.sort();
        Err(check.0)
    }

    /// What is taken as it is written, and weaker than it may look.
    #[must_use]
    pub fn warnings(&self) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        if self.tls.is_none() && !self.users.is_empty() {
            warnings.push("passwords are asked for without TLS: the network can read them");
        }
        let unverified = self.tls.as_ref().map(|tls| &tls.clients);
        if let Some(ClientCertificates::Any { .. }) = unverified {
            warnings.push(
                "RequireAnyClientCert lets in whoever makes a certificate; RequireAndVerifyClientCert asks for one of client_ca_file",
            );
        }
        warnings
    }
}

/// Collects problems. What has one is `None`.
#[derive(Default)]
struct Check(Vec<YamlError>);

impl Check {
    fn ok<T>(&mut self, result: Result<T, YamlError>) -> Option<T> {
        result.map_err(|problem| self.0.push(problem)).ok()
    }

    fn report(&mut self, entry: &Entry, problem: impl fmt::Display) {
        self.0.push(entry.error(problem));
    }

    fn unknown(&mut self, entry: &Entry, known: &str) {
        self.report(entry, format!("is no setting here; there are {known}"));
    }

    /// To be used only where no problem was found.
    fn document(&mut self, document: &[Entry], folder: &Path) -> WebSettings {
        let known = "tls_server_config, http_server_config, basic_auth_users and rate_limit";
        let mut tls = None;
        let mut headers = Vec::new();
        let mut users = BTreeMap::new();
        let mut rate_limit = None;
        for section in document {
            match &*section.key {
                "tls_server_config" => tls = self.tls(section, folder),
                "http_server_config" => headers = self.http(section).unwrap_or_default(),
                "basic_auth_users" => users = self.users(section).unwrap_or_default(),
                "rate_limit" => rate_limit = self.rate_limit(section),
                _ => self.unknown(section, known),
            }
        }
        WebSettings {
            tls,
            headers,
            users,
            rate_limit,
        }
    }

    fn http(&mut self, section: &Entry) -> Option<Vec<(&'static str, String)>> {
        let mut headers = Vec::new();
        for entry in self.ok(section.map())? {
            match &*entry.key {
                // The answer is HTTP/1.1 either way, which every client of HTTP/2 takes.
                "http2" => {
                    self.ok(entry.flag());
                }
                "headers" => {
                    for header in self.ok(entry.map()).unwrap_or_default() {
                        headers.extend(self.header(header));
                    }
                }
                _ => self.unknown(entry, "http2 and headers"),
            }
        }
        Some(headers)
    }

    fn header(&mut self, entry: &Entry) -> Option<(&'static str, String)> {
        const HEADERS: [(&str, &[&str]); 5] = [
            ("Content-Security-Policy", &[]),
            ("Strict-Transport-Security", &[]),
            ("X-Content-Type-Options", &["nosniff"]),
            ("X-Frame-Options", &["deny", "sameorigin"]),
            ("X-XSS-Protection", &[]),
        ];
        let value = self.ok(entry.text())?;
        let known = HEADERS.iter().find(|(name, _)| *name == entry.key);
        let Some((name, values)) = known else {
            let names = HEADERS.map(|(name, _)| name).join(", ");
            self.report(entry, format!("is no header that can be set: {names}"));
            return None;
        };
        if value.is_empty() {
            return None;
        }
        if !values.is_empty() && !values.contains(&value) {
            self.report(entry, format!("must be {}", values.join(" or ")));
            return None;
        }
        if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            self.report(entry, "must be one line of ASCII");
            return None;
        }
        Some((name, value.to_owned()))
    }

    fn users(&mut self, section: &Entry) -> Option<BTreeMap<String, PasswordHash>> {
        let mut users = BTreeMap::new();
        for entry in self.ok(section.map())? {
            if entry.key.contains(':') {
                self.report(entry, "holds a colon, which ends a user name (RFC 7617)");
                continue;
            }
            match self.ok(entry.text()).map(PasswordHash::from_str) {
                Some(Ok(hash)) => {
                    users.insert(entry.key.clone(), hash);
                }
                Some(Err(problem)) => self.report(entry, problem),
                None => {}
            }
        }
        Some(users)
    }

    fn rate_limit(&mut self, section: &Entry) -> Option<RateLimit> {
        let (mut interval, mut burst) = (Duration::ZERO, None);
        for entry in self.ok(section.map())? {
            let text = self.ok(entry.text())?;
            match &*entry.key {
                "interval" if text.is_empty() => {}
                "interval" => match parse_interval(text) {
                    Some(duration) => interval = duration,
                    None => self.report(entry, "must be a duration such as 1s or 100ms, or 0"),
                },
                "burst" => burst = text.parse().ok(),
                _ => self.unknown(entry, "interval and burst"),
            }
        }
        match burst {
            _ if interval.is_zero() => None,
            Some(burst) => Some(RateLimit { interval, burst }),
            None => {
                self.report(
                    section,
                    "needs a burst, a whole number above 0: without one no request is answered",
                );
                None
            }
        }
    }
}

/// A duration that is not negative; a day is 24 hours. ISO 8601 is not taken.
fn parse_interval(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    if text.starts_with(['P', 'p', '+', '-']) {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    duration.try_into().ok()
}

#[cfg(test)]
mod tests;
