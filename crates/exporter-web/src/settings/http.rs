//! The section `http_server_config`.

use yaml_tree::YamlEntry;

use super::{WebConfigCheck, listed};

const OPTIONS: [&str; 2] = ["http2", "headers"];

/// The headers that can be set, and the values of each; no values mean any value.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

impl WebConfigCheck {
    /// Returns the headers of every response.
    pub(super) fn http(&mut self, section: &YamlEntry) -> Option<Vec<(&'static str, String)>> {
        let entries = self.ok(section.map())?;
        let section = self.section(entries, &OPTIONS);
        if let Some(http2) = section.get("http2") {
            // Responses are HTTP/1.1 either way: every client of HTTP/2 takes that.
            self.ok(http2.flag());
        }
        let headers = section.get("headers");
        let headers = headers.and_then(|entry| self.ok(entry.map()));
        let headers = headers.unwrap_or_default().iter();
        Some(headers.filter_map(|entry| self.header(entry)).collect())
    }

    fn header(&mut self, entry: &YamlEntry) -> Option<(&'static str, String)> {
        let value = self.ok(entry.text())?;
        let known = HEADERS.iter().find(|(name, _)| *name == entry.key);
        let Some((name, values)) = known else {
            let names = listed(&HEADERS.map(|(name, _)| name));
            self.report(entry, format!("cannot be set; the headers are {names}"));
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
}
