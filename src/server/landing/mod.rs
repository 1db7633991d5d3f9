//! The landing page, for people: how polls go, where the metrics are, and how to scrape
//! them. It needs no script and nothing from another server.

#[cfg(test)]
mod tests;

use std::{fmt::Write, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::poller::health::{AccountHealth, Failing, PollState};

const STYLE: &str = include_str!("landing.css");

/// The address for the scrape configuration if the request has no usable `Host`.
const HOST: &str = "localhost:10610";

/// The highest number of accounts that are shown; more are only counted.
const MAX_ACCOUNTS: usize = 100;

/// The content of the landing page.
#[derive(Debug)]
pub(super) struct LandingPage<'a> {
    /// The path of the metrics; begins with `/`.
    pub(super) telemetry_path: &'a str,
    /// The header `Host` of the request, in which a client may write anything.
    pub(super) host: Option<&'a str>,
    /// The accounts, in the order of their names.
    pub(super) accounts: Vec<AccountSection>,
    /// The hold of the publish gate; zero if every count is shown at once.
    pub(super) hold: Duration,
    /// The time of the last reload of the configuration if it failed.
    pub(super) reload_failed: Option<Timestamp>,
    /// How long the disk of the state has not answered; `None` if it answers.
    pub(super) state_hangs: Option<Duration>,
    /// How long the event log has not answered; `None` if it answers.
    pub(super) event_log_hangs: Option<Duration>,
    /// The time at which a server began to scrape the exporter under another name.
    pub(super) renamed: Option<Timestamp>,
    /// The time at which the page is made.
    pub(super) now: Timestamp,
}

/// The content of the section of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AccountSection {
    /// The name of the account; `None` if there is only one and it has no name.
    pub(super) name: Option<String>,
    /// The last success of a poll, and since when polls fail.
    pub(super) polls: PollState,
    /// `true` while history or an outage is read, and the watermark moves.
    pub(super) catching_up: bool,
    /// The time up to which everything that the API showed is counted.
    pub(super) watermark: Option<Timestamp>,
    /// The number of events that are counted and not shown yet.
    pub(super) pending: i64,
}

impl From<&AccountHealth> for AccountSection {
    fn from(account: &AccountHealth) -> Self {
        Self {
            name: account.name().map(ToString::to_string),
            polls: account.polls(),
            catching_up: account.is_catching_up(),
            watermark: account.metrics().watermark.get(),
            pending: account.metrics().pending_events.get(),
        }
    }
}

impl LandingPage<'_> {
    /// Returns the page as HTML.
    pub(super) fn html(&self) -> String {
        let metrics = escaped(self.telemetry_path);
        let version = env!("CARGO_PKG_VERSION");
        let accounts = self.accounts();
        let whose = match &*self.accounts {
            [_] => "a Nexmo (Vonage) account",
            _ => "Nexmo (Vonage) accounts",
        };
        let scrape_config = escaped(&self.scrape_config());
        let renamed = self.renamed();
        let reload_failed = self.reload_failed();
        let hanging = self.hanging();
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
{hanging}{reload_failed}{accounts}<section aria-labelledby="scrape">
<h2 id="scrape">Scrape configuration</h2>
<p>Add this to the configuration of Prometheus:</p>
<pre tabindex="0" role="group" aria-label="Scrape configuration"><code>{scrape_config}</code></pre>
{renamed}<p>Dashboards for Grafana and alerting rules for Prometheus are in the folder <code>dashboards/</code> of the source code.</p>
</section>
</main>
</body>
</html>
"#
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

    fn accounts(&self) -> String {
        if let [only @ AccountSection { name: None, .. }] = &*self.accounts {
            let account = self.account(only);
            return section("account", "Account", &account);
        }
        let mut accounts: Vec<_> = self.accounts.iter().collect();
        // The sort is stable: accounts of the same urgency stay in the order of their names.
        accounts.sort_by_key(|account| account.urgency());
        let mut html = self.summary();
        for (place, account) in accounts.iter().take(MAX_ACCOUNTS).enumerate() {
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

    /// Returns a paragraph about all accounts.
    fn summary(&self) -> String {
        let count = |urgency| {
            let accounts = self.accounts.iter();
            accounts
                .filter(|account| account.urgency() == urgency)
                .count()
        };
        let (failing, waiting) = (count(Urgency::Failing), count(Urgency::Waiting));
        let catching_up = count(Urgency::CatchingUp);
        let kind = match (failing, waiting + catching_up) {
            (0, 0) => "good",
            (0, _) => "wait",
            _ => "bad",
        };
        let all = self.accounts.len();
        let catching_up = match catching_up {
            0 => String::new(),
            number => format!(" catch up for {number},"),
        };
        let mut text = format!(
            "{all} accounts. Polls succeed for {},{catching_up} fail for {failing}, and have not ended yet for {waiting}.",
            count(Urgency::Succeeding)
        );
        if all > MAX_ACCOUNTS {
            let _ = write!(
                text,
                " The {MAX_ACCOUNTS} accounts that need attention most are shown."
            );
        }
        format!("<p class=\"state {kind}\">{text}</p>\n")
    }

    fn account(&self, account: &AccountSection) -> String {
        let mut html = self.state(account);
        html.push_str(&limit(&account.polls));
        html.push_str("<dl>\n");
        let last_success = account.polls.last_success;
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

    /// Returns a paragraph about the polls of an account.
    fn state(&self, account: &AccountSection) -> String {
        let polls = &account.polls;
        let (kind, text) = match (account.urgency(), &polls.failing) {
            (Urgency::CatchingUp, _) => ("wait", self.catching_up(account.watermark)),
            (_, Some(failing)) => ("bad", self.failing(failing)),
            (Urgency::Succeeding, None) => ("good", "Polls of the Audit API succeed.".to_owned()),
            (_, None) => ("wait", "The first poll has not ended yet.".to_owned()),
        };
        format!("<p class=\"state {kind}\">{}</p>\n", escaped(&text))
    }

    fn catching_up(&self, watermark: Option<Timestamp>) -> String {
        let up_to = watermark.unwrap_or(self.now);
        format!(
            "Catching up: everything up to {} is counted, and the events of {} since then are still to be read. Nothing fails: history, or the events of an outage, are read piece by piece.",
            at(up_to),
            span(self.now.duration_since(up_to))
        )
    }

    fn failing(&self, failing: &Failing) -> String {
        let Failing { since, error } = failing;
        format!(
            "Polls have been failing since {} ({}): {error}. Nothing is lost: each poll asks for the same range again, until the API answers.",
            at(*since),
            span(self.now.duration_since(*since))
        )
    }

    /// Returns a paragraph about the last reload; nothing unless it failed.
    fn reload_failed(&self) -> String {
        self.reload_failed.map_or_else(String::new, |at| {
            format!(
                "<p class=\"state bad\">The configuration could not be loaded again ({}): the previous one stays in use, and the log says why.</p>\n",
                self.ago(at)
            )
        })
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

    fn ago(&self, time: Timestamp) -> String {
        format!("{}, {} ago", at(time), span(self.now.duration_since(time)))
    }

    /// Returns the lines for `prometheus.yml`.
    fn scrape_config(&self) -> String {
        let host = self.host.filter(|host| is_host(host)).unwrap_or(HOST);
        let path = match self.telemetry_path {
            "/metrics" => String::new(),
            path => format!("    metrics_path: {path:?}\n"),
        };
        format!(
            "scrape_configs:
  - job_name: nexmo-audit
{path}    static_configs:
      - targets: [\"{host}\"]
    relabel_configs:
      # Stays when the address changes, so that the series go on.
      - target_label: instance
        replacement: nexmo-audit
"
        )
    }
}

/// Returns `true` for a name or an address, with or without a port. Nothing else goes
/// into YAML.
fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(plain)
}

/// The urgency with which an account needs attention; the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Failing,
    Waiting,
    CatchingUp,
    Succeeding,
}

impl AccountSection {
    fn urgency(&self) -> Urgency {
        match (&self.polls.failing, self.polls.last_success) {
            _ if self.catching_up => Urgency::CatchingUp,
            (Some(_), _) => Urgency::Failing,
            (None, None) => Urgency::Waiting,
            (None, Some(_)) => Urgency::Succeeding,
        }
    }
}

fn section(id: &str, title: &str, html: &str) -> String {
    format!("<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n{html}</section>\n")
}

/// Returns a paragraph about the limit of the API; nothing if none is known.
fn limit(polls: &PollState) -> String {
    polls.limit.map_or_else(String::new, |events| {
        format!(
            "<p>The Audit API shows no more than {events} events of one query, so longer ranges are read in parts. The exporter checks once a day whether the limit is still there.</p>\n"
        )
    })
}

/// Says how many events are not shown yet, and why.
fn pending(pending: i64, hold: Duration) -> String {
    let pending = match pending {
        1 => "1 event".to_owned(),
        many => format!("{many} events"),
    };
    if hold == Duration::ZERO {
        return format!(
            "{pending}. Every count is shown at once: no server has scraped yet, or --metrics.scrape-interval is 0."
        );
    }
    let hold = SignedDuration::try_from(hold).unwrap_or(SignedDuration::MAX);
    format!(
        "{pending}. A new series stays at its first value for {} from its first scrape, so that every server sees that value. So does every series after a start, or after a gap between scrapes.",
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

/// Writes whole seconds, such as `3h 12m 5s`. A time in the future, of a clock that
/// differs, counts as now.
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
