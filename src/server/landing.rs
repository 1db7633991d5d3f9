//! The landing page: the state of the account in words, where the metrics are, and
//! how to scrape them. Needs no script and nothing from elsewhere.

#[cfg(test)]
mod tests;

use std::{fmt::Write, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    exposition::Standing,
    status::{Failing, Progress},
};

const STYLE: &str = include_str!("landing.css");

/// Where Prometheus would look for the exporter when the request does not tell.
const HOST: &str = "localhost:10610";

/// What the page tells.
#[derive(Debug)]
pub(super) struct Page<'a> {
    /// Where metrics are; begins with `/`.
    pub(super) telemetry_path: &'a str,
    /// The `Host` that the page was asked by, whatever a client wrote there.
    pub(super) host: Option<&'a str>,
    /// How polls go.
    pub(super) progress: &'a Progress,
    /// Where counting stands.
    pub(super) standing: &'a Standing,
    /// The time of the answer.
    pub(super) now: Timestamp,
}

impl Page<'_> {
    /// The page as HTML.
    pub(super) fn html(&self) -> String {
        let metrics = escaped(self.telemetry_path);
        let version = env!("CARGO_PKG_VERSION");
        let account = self.account();
        let scrape_config = escaped(&self.scrape_config());
        format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nexmo-audit-exporter</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>nexmo-audit-exporter</h1>
<p>Counts the audit events of a Nexmo (Vonage) account for Prometheus. Version {version}.</p>
<nav aria-label="Pages">
<ul>
<li><a href="{metrics}">Metrics</a></li>
<li><a href="/-/healthy">Health</a></li>
<li><a href="/-/ready">Readiness</a></li>
</ul>
</nav>
</header>
<main>
<section aria-labelledby="account">
<h2 id="account">Account</h2>
{account}</section>
<section aria-labelledby="scrape">
<h2 id="scrape">Scrape it</h2>
<p>In the configuration of Prometheus:</p>
<pre tabindex="0" role="group" aria-label="Scrape configuration"><code>{scrape_config}</code></pre>
<p>Dashboards for Grafana and alerting rules are in the folder <code>dashboards/</code> of the source.</p>
</section>
</main>
</body>
</html>
"#
        )
    }

    fn account(&self) -> String {
        let mut html = self.state();
        html.push_str("<dl>\n");
        let last_success = self.progress.last_success;
        let last_success = last_success.map_or_else(|| "none yet".to_owned(), |at| self.ago(at));
        item(&mut html, "Last successful poll", &last_success);
        let watermark = self.standing.watermark;
        let watermark = watermark.map_or_else(|| "nothing yet".to_owned(), |at| self.ago(at));
        item(&mut html, "Everything counted up to", &watermark);
        item(&mut html, "Waiting to be shown", &pending(self.standing));
        html.push_str("</dl>\n");
        html
    }

    /// How polls go, in one paragraph.
    fn state(&self) -> String {
        let (kind, text) = match (&self.progress.failing, self.progress.last_success) {
            (Some(failing), _) => ("bad", self.failing(failing)),
            (None, Some(_)) => ("good", "Polls of the Audit API succeed.".to_owned()),
            (None, None) => ("wait", "The first poll has not ended yet.".to_owned()),
        };
        format!("<p class=\"state {kind}\">{}</p>\n", escaped(&text))
    }

    fn failing(&self, failing: &Failing) -> String {
        let Failing { since, error } = failing;
        format!(
            "Polls are failing since {} ({}): {error}. Nothing is lost: the same range is asked for until it is answered.",
            at(*since),
            span(self.now.duration_since(*since))
        )
    }

    fn ago(&self, time: Timestamp) -> String {
        format!("{}, {} ago", at(time), span(self.now.duration_since(time)))
    }

    /// As it goes into `prometheus.yml`.
    fn scrape_config(&self) -> String {
        let host = self.host.filter(|host| is_host(host)).unwrap_or(HOST);
        let path = match self.telemetry_path {
            "/metrics" => String::new(),
            path => format!("    metrics_path: {path:?}\n"),
        };
        format!(
            "scrape_configs:\n  - job_name: nexmo-audit\n{path}    static_configs:\n      - targets: [\"{host}\"]\n"
        )
    }
}

/// A name or an address, with or without a port, and nothing that YAML would read
/// otherwise.
fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(plain)
}

/// The publish gate in words, so that nobody wonders why a number waits.
fn pending(standing: &Standing) -> String {
    let pending = match standing.pending {
        1 => "1 event".to_owned(),
        many => format!("{many} events"),
    };
    if standing.hold == Duration::ZERO {
        return format!(
            "{pending}; every count is shown at once, since no server has scraped yet or the gate is off"
        );
    }
    let hold = SignedDuration::try_from(standing.hold).unwrap_or(SignedDuration::MAX);
    format!(
        "{pending}; a new series stays at its first value, and every series after a start or a gap between scrapes, until each server has had the time to see it: {} from when it was first scraped",
        span(hold)
    )
}

fn item(list: &mut String, name: &str, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(list, "<div><dt>{name}</dt><dd>{}</dd></div>", escaped(text));
}

fn at(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// Whole seconds, such as `3h 12m 5s`; none below zero, where clocks differ.
fn span(duration: SignedDuration) -> String {
    let whole = SignedDuration::from_secs(duration.as_secs().max(0));
    format!("{whole:#}")
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
