//! The landing page, for people: how polls go, where the metrics are, and how to scrape
//! them. It needs no script and nothing from another server.

mod account_row;
mod account_table;
mod scrape_example;
mod text;

#[cfg(test)]
mod tests;

pub(super) use account_table::AccountTable;
pub(super) use scrape_example::ScrapeExample;

use std::{fmt::Write, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::metrics::FailedReload;
use text::{at, counted, escaped, number, span};

const STYLE: &str = include_str!("landing.css");

/// The content of the landing page.
#[derive(Debug)]
pub(super) struct LandingPage<'a> {
    /// The scrape configuration that fits the exporter as it was asked.
    pub(super) example: ScrapeExample<'a>,
    pub(super) accounts: AccountTable,
    pub(super) gate: GateState,
    /// The last reload of the configuration if it failed.
    pub(super) failed_reload: Option<Arc<FailedReload>>,
    /// How long the disk of the state has not answered; `None` if it answers.
    pub(super) state_hangs: Option<Duration>,
    /// How long the event log has not answered; `None` if it answers.
    pub(super) event_log_hangs: Option<Duration>,
    /// The time at which a server began to scrape the exporter under another name.
    pub(super) renamed: Option<Timestamp>,
    /// The time at which the page is made.
    pub(super) now: Timestamp,
}

/// The state of the publish gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GateState {
    /// The user has turned the gate off.
    Off,
    /// No server has ever scraped.
    NeverScraped,
    /// Counts wait for this hold.
    Holding(Duration),
}

impl LandingPage<'_> {
    /// Returns the page as HTML.
    pub(super) fn html(&self) -> String {
        let link = |path| escaped(&self.example.address.link(path));
        let metrics = link(self.example.telemetry_path);
        let (healthy, ready) = (link("/-/healthy"), link("/-/ready"));
        let version = env!("CARGO_PKG_VERSION");
        let title = match self.accounts.failing() {
            0 => String::new(),
            failing => format!("{} failing – ", counted(failing, "account")),
        };
        let whose = match self.accounts.len() {
            1 => "a Nexmo (Vonage) account",
            _ => "Nexmo (Vonage) accounts",
        };
        let now = at(self.now);
        let notices = self.hanging() + &self.failed_reload() + &self.renamed();
        let accounts = self.accounts.html(&self.gate_note(), self.now);
        let scrape = self.scrape();
        let documents = documents(env!("CARGO_PKG_HOMEPAGE"));
        format!(
            r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}nexmo-audit-exporter</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>nexmo-audit-exporter</h1>
<p>Counts the audit events of {whose} for Prometheus. Version {version}. As of <time datetime="{now}">{now}</time>.</p>
<nav aria-label="Pages">
<ul>
<li><a href="{metrics}">Metrics</a></li>
<li><a href="{healthy}">Health</a></li>
<li><a href="{ready}">Readiness</a></li>
<li><a href="#scrape">Scrape configuration</a></li>
<li><a href="#documents">Documents</a></li>
</ul>
</nav>
</header>
<main>
{notices}{accounts}{scrape}{documents}</main>
</body>
</html>
"##
        )
    }

    /// Returns a paragraph about each disk that does not answer.
    fn hanging(&self) -> String {
        let written = |hangs: Duration| span(SignedDuration::try_from(hangs).unwrap_or_default());
        let mut html = String::new();
        if let Some(hangs) = self.state_hangs.map(written) {
            let _ = writeln!(
                html,
                "<p class=\"state bad\">The disk of the state has not answered for {hangs}. Nothing is counted until it does, and what was counted before is shown. Check the disk.</p>"
            );
        }
        if let Some(hangs) = self.event_log_hangs.map(written) {
            let _ = writeln!(
                html,
                "<p class=\"state wait\">The event log has not answered for {hangs}. Counting goes on, and the lines wait in the state. Check the disk of the log, or the reader of a pipe.</p>"
            );
        }
        html
    }

    /// Returns what is wrong with the last reload; nothing unless it failed.
    fn failed_reload(&self) -> String {
        let Some(failed) = &self.failed_reload else {
            return String::new();
        };
        let mut html = format!(
            "<div class=\"state bad\">\n<p>The configuration could not be loaded again ({}), so the previous one stays in use. Mend this, and reload:</p>\n<ul>\n",
            self.ago(failed.at)
        );
        for problem in &failed.problems {
            let _ = writeln!(html, "<li>{}</li>", escaped(problem));
        }
        if failed.more > 0 {
            let more = number(failed.more);
            let _ = writeln!(html, "<li>and {more} more, which the log lists</li>");
        }
        html.push_str("</ul>\n</div>\n");
        html
    }

    /// Returns a paragraph about another name of the exporter; nothing if it has none.
    fn renamed(&self) -> String {
        self.renamed.map_or_else(String::new, |since| {
            format!(
                "<p class=\"state wait\">A server scrapes this exporter under another name since {}: if its label <code>instance</code> has changed with the name, new series have begun, and <code>increase()</code> does not join them with the old ones.</p>\n",
                self.ago(since)
            )
        })
    }

    /// Says why events wait to be shown, or why they do not.
    fn gate_note(&self) -> String {
        let at_once = match self.gate {
            GateState::Holding(hold) => {
                let hold = SignedDuration::try_from(hold).unwrap_or(SignedDuration::MAX);
                return format!(
                    "Events wait to be shown so that no server misses one: a new series stays at its first value for {} from its first scrape, until every server has seen that value. So does every series after a start, or after a gap between scrapes.",
                    span(hold)
                );
            }
            GateState::Off => "since --metrics.scrape-interval is 0",
            GateState::NeverScraped => "since no server has scraped yet",
        };
        let counts = if self.accounts.read_history() {
            "Once the history of an account is read, its counts are shown as soon as they are stored"
        } else {
            "Every count is shown as soon as it is stored"
        };
        format!("{counts}, {at_once}.")
    }

    fn scrape(&self) -> String {
        let example = escaped(&self.example.yaml());
        let files = if self.example.names_files() {
            ", and put the files that it names into the folder of <code>prometheus.yml</code>"
        } else {
            ""
        };
        format!(
            r#"<section aria-labelledby="scrape">
<h2 id="scrape">Scrape configuration</h2>
<p>Add this to the configuration of Prometheus{files}. It has the address by which you asked for this page:</p>
<pre tabindex="0" role="group" aria-label="Scrape configuration"><code>{example}</code></pre>
</section>
"#
        )
    }

    fn ago(&self, time: Timestamp) -> String {
        format!("{}, {} ago", at(time), span(self.now.duration_since(time)))
    }
}

/// Says where the documents are. `homepage` is that of the package; empty for none.
fn documents(homepage: &str) -> String {
    let link = if homepage.is_empty() {
        String::new()
    } else {
        let homepage = escaped(homepage);
        format!("<p><a href=\"{homepage}\">{homepage}</a></p>\n")
    };
    format!(
        r#"<section aria-labelledby="documents">
<h2 id="documents">Documents</h2>
{link}<dl>
<div><dt><code>docs/troubleshooting.md</code></dt><dd>Every message, its cause, and what to do.</dd></div>
<div><dt><code>docs/runbooks.md</code></dt><dd>What to do first when an alert fires.</dd></div>
<div><dt><code>docs/metrics.md</code></dt><dd>Every metric, and queries to begin with.</dd></div>
<div><dt><code>docs/configuration.md</code></dt><dd>Every setting; <code>man nexmo-audit-exporter-serve</code> has them, too.</dd></div>
<div><dt><code>dashboards/</code></dt><dd>Dashboards for Grafana, and recording and alerting rules for Prometheus.</dd></div>
</dl>
<p>They are in the source code. The Debian package puts them into <code>/usr/share/doc/nexmo-audit-exporter/</code>, and the dashboards and rules into <code>/usr/share/nexmo-audit-exporter/</code>.</p>
</section>
"#
    )
}
