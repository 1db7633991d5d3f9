//! The landing page: the state of the account in words, and where the metrics are.

use std::fmt::Write;

use jiff::Timestamp;

use crate::status::Progress;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
dt{font-weight:bold}:root{color-scheme:light dark}";

/// The page as HTML.
pub(super) fn page(telemetry_path: &str, progress: &Progress) -> String {
    let metrics = escaped(telemetry_path);
    let version = env!("CARGO_PKG_VERSION");
    let state = state(progress);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>nexmo-audit-exporter</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>nexmo-audit-exporter</h1>\n\
         <p>Counts the audit events of a Nexmo (Vonage) account for Prometheus. Version {version}.</p>\n\
         <p><a href=\"{metrics}\">Metrics</a></p>\n<h2>Account</h2>\n<dl>\n{state}</dl>\n</body>\n</html>\n"
    )
}

fn state(progress: &Progress) -> String {
    let mut list = String::new();
    let polls = match (&progress.failing, progress.last_success) {
        (Some(failing), _) => format!("failing since {}: {}", at(failing.since), failing.error),
        (None, Some(_)) => "succeed".into(),
        (None, None) => "the first one has not ended yet".into(),
    };
    item(&mut list, "Polls", &polls);
    if let Some(time) = progress.last_success {
        item(&mut list, "Last success", &at(time));
    }
    if let Some(time) = progress.watermark {
        item(&mut list, "Everything counted up to", &at(time));
    }
    list
}

fn item(list: &mut String, name: &str, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(list, "<dt>{name}</dt><dd>{}</dd>", escaped(text));
}

fn at(time: Timestamp) -> String {
    format!("{time:.0}")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Failing;

    #[test]
    fn what_the_vendor_says_is_text_and_not_markup() {
        let failing = Failing {
            since: Timestamp::UNIX_EPOCH,
            error: "<script>alert('a & b')</script>".into(),
        };
        let progress = Progress {
            failing: Some(failing),
            ..Progress::default()
        };
        let page = page("/metrics?\"><script>", &progress);
        assert!(!page.contains("<script>"));
        assert!(page.contains(
            "failing since 1970-01-01T00:00:00Z: &lt;script&gt;alert(&#39;a &amp; b&#39;)&lt;/script&gt;"
        ));
    }
}
