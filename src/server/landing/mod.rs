//! The landing page: the state of each account in words, where the metrics are, and
//! how to scrape them. Needs no script and nothing from elsewhere.

#[cfg(test)]
mod tests;

use std::{fmt::Write, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::poller::{
    roster::Member,
    status::{Failing, Progress},
};

const STYLE: &str = include_str!("landing.css");

/// Where Prometheus would look for the exporter when the request does not tell.
const HOST: &str = "localhost:10610";

/// More accounts than this are only counted, so that the page stays one.
const MOST: usize = 100;

/// What the page tells.
#[derive(Debug)]
pub(super) struct LandingPage<'a> {
    /// Where metrics are; begins with `/`.
    pub(super) telemetry_path: &'a str,
    /// The `Host` that the page was asked by, whatever a client wrote there.
    pub(super) host: Option<&'a str>,
    /// How the accounts fare.
    pub(super) accounts: Vec<AccountSection>,
    /// How long the publish gate holds; zero while it is open to all.
    pub(super) hold: Duration,
    /// The time of the answer.
    pub(super) now: Timestamp,
}

/// Where counting stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AccountSection {
    /// `None` where there is only the one account.
    pub(super) name: Option<String>,
    /// How polls go.
    pub(super) progress: Progress,
    /// Everything that the API showed up to this time is counted.
    pub(super) watermark: Option<Timestamp>,
    /// Events counted and not shown yet.
    pub(super) pending: i64,
}

impl From<&Member> for AccountSection {
    fn from(member: &Member) -> Self {
        Self {
            name: member.name.as_deref().map(str::to_owned),
            progress: member.status.progress(),
            watermark: member.metrics.watermark.get(),
            pending: member.metrics.pending_events.get(),
        }
    }
}

impl LandingPage<'_> {
    /// The page as HTML.
    pub(super) fn html(&self) -> String {
        let metrics = escaped(self.telemetry_path);
        let version = env!("CARGO_PKG_VERSION");
        let accounts = self.accounts();
        let whose = match &*self.accounts {
            [_] => "a Nexmo (Vonage) account",
            _ => "Nexmo (Vonage) accounts",
        };
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
<p>Counts the audit events of {whose} for Prometheus. Version {version}.</p>
<nav aria-label="Pages">
<ul>
<li><a href="{metrics}">Metrics</a></li>
<li><a href="/-/healthy">Health</a></li>
<li><a href="/-/ready">Readiness</a></li>
</ul>
</nav>
</header>
<main>
{accounts}<section aria-labelledby="scrape">
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

    fn accounts(&self) -> String {
        if let [only @ AccountSection { name: None, .. }] = &*self.accounts {
            let account = self.account(only);
            return section("account", "Account", &account);
        }
        let mut accounts: Vec<_> = self.accounts.iter().collect();
        // Stable, so that the others stay in the order of their names.
        accounts.sort_by_key(|account| account.urgency());
        let mut html = self.summary();
        for (place, account) in accounts.iter().take(MOST).enumerate() {
            let name = escaped(account.name.as_deref().unwrap_or_default());
            let id = format!("account-{place}");
            let account = self.account(account);
            let _ = write!(
                html,
                "<section aria-labelledby=\"{id}\">\n<h3 id=\"{id}\">{name}</h3>\n{account}</section>\n"
            );
        }
        section("accounts", "Accounts", &html)
    }

    /// How the accounts fare together.
    fn summary(&self) -> String {
        let count = |urgency| {
            let accounts = self.accounts.iter();
            accounts
                .filter(|account| account.urgency() == urgency)
                .count()
        };
        let (failing, waiting) = (count(Urgency::Failing), count(Urgency::Waiting));
        let kind = match (failing, waiting) {
            (0, 0) => "good",
            (0, _) => "wait",
            _ => "bad",
        };
        let all = self.accounts.len();
        let mut text = format!(
            "{all} accounts. Polls succeed for {}, fail for {failing}, and have not ended yet for {waiting}.",
            count(Urgency::Succeeding)
        );
        if all > MOST {
            let _ = write!(text, " Those that need you most are shown, {MOST} of them.");
        }
        format!("<p class=\"state {kind}\">{text}</p>\n")
    }

    fn account(&self, account: &AccountSection) -> String {
        let mut html = self.state(&account.progress);
        html.push_str("<dl>\n");
        let last_success = account.progress.last_success;
        let last_success = last_success.map_or_else(|| "none yet".to_owned(), |at| self.ago(at));
        item(&mut html, "Last successful poll", &last_success);
        let watermark = account.watermark;
        let watermark = watermark.map_or_else(|| "nothing yet".to_owned(), |at| self.ago(at));
        item(&mut html, "Everything counted up to", &watermark);
        let pending = pending(account.pending, self.hold);
        item(&mut html, "Waiting to be shown", &pending);
        html.push_str("</dl>\n");
        html
    }

    /// How polls go, in one paragraph.
    fn state(&self, progress: &Progress) -> String {
        let (kind, text) = match (&progress.failing, progress.last_success) {
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

/// How much an account needs a look, most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Failing,
    Waiting,
    Succeeding,
}

impl AccountSection {
    fn urgency(&self) -> Urgency {
        match (&self.progress.failing, self.progress.last_success) {
            (Some(_), _) => Urgency::Failing,
            (None, None) => Urgency::Waiting,
            (None, Some(_)) => Urgency::Succeeding,
        }
    }
}

fn section(id: &str, title: &str, html: &str) -> String {
    format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n{html}</section>\n")
}

/// The publish gate in words, so that nobody wonders why a number waits.
fn pending(pending: i64, hold: Duration) -> String {
    let pending = match pending {
        1 => "1 event".to_owned(),
        many => format!("{many} events"),
    };
    if hold == Duration::ZERO {
        return format!(
            "{pending}; every count is shown at once, since no server has scraped yet or the gate is off"
        );
    }
    let hold = SignedDuration::try_from(hold).unwrap_or(SignedDuration::MAX);
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
