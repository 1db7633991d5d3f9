//! Every panel on real servers that hold the same past, in which other jobs, two exporters
//! of one account, a replaced target and failing accounts are.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use test_support::eventually::eventually;
use test_support::exporter::is;
use test_support::process::START;
use test_support::tools;

use super::dashboard::{Chosen, Dashboard, Query, replaced};
use super::past::{self, EVENTS, SHOWN, STRANGER};
use crate::prometheus_server::Prometheus;

const RANGE: Duration = Duration::from_secs(SHOWN.unsigned_abs());
const INTERVAL: Duration = Duration::from_mins(1);
/// From the end of the first bar to that of the last.
const BARS: Duration = Duration::from_secs(SHOWN.unsigned_abs() - INTERVAL.as_secs());

/// A server at the end of the past.
struct Server {
    prometheus: Prometheus,
    end: i64,
}

/// What a query answers: the last value of each series, or the sum of its bars.
type Answers = BTreeMap<String, f64>;

/// Returns the values of the variables while nothing is chosen, as Grafana fills them in.
pub(super) fn nothing_chosen(
    server: &Prometheus,
    board: &Dashboard,
    end: i64,
    span: Duration,
) -> Result<Chosen, String> {
    let mut chosen = Chosen::new();
    for variable in board.variables() {
        let value = match (variable.value, variable.asks) {
            (Some(value), _) => value,
            (None, Some((selector, label))) => {
                let selector = replaced(selector, &chosen);
                let values = server.label_values(&label, &selector, end, span)?;
                format!("({})", values.join("|"))
            }
            (None, None) => return Err(format!("{} has no value", variable.name)),
        };
        chosen.insert(variable.name, value);
    }
    Ok(chosen)
}

impl Server {
    fn prometheus(program: &Path, end: i64, with_other_jobs: bool) -> Option<Self> {
        let promtool = tools::require("promtool")?;
        let samples = past::samples(end, with_other_jobs);
        let prometheus = Prometheus::start_with_samples(program, &promtool, &samples);
        Some(Self::holding(prometheus, end))
    }

    fn victoria_metrics(program: &Path, end: i64) -> Self {
        let prometheus = Prometheus::start_victoria_metrics(program, "scrape_configs: []\n");
        eventually("a server", START, || prometheus.ask("labels"));
        prometheus.import(past::samples(end, true));
        Self::holding(prometheus, end)
    }

    /// Returns the servers that are installed, old and new ones.
    fn all() -> Vec<Self> {
        let end = end();
        let mut servers = Vec::new();
        let programs = [
            tools::require("prometheus"),
            tools::optional("prometheus-3"),
        ];
        for program in programs.into_iter().flatten() {
            servers.extend(Self::prometheus(&program, end, true));
        }
        let program = tools::require("victoria-metrics");
        servers.extend(program.map(|program| Self::victoria_metrics(&program, end)));
        servers
    }

    fn holding(prometheus: Prometheus, end: i64) -> Self {
        eventually("the samples", START, || {
            let found = prometheus.query_at(end, "nexmo_audit_up")?;
            (found.len() == 8)
                .then_some(())
                .ok_or_else(|| format!("{found:?}"))
        });
        Self { prometheus, end }
    }

    fn chosen(&self, board: &Dashboard) -> Chosen {
        nothing_chosen(&self.prometheus, board, self.end, RANGE).expect("values")
    }

    fn series(&self, query: &Query, chosen: &Chosen) -> Vec<Value> {
        let expression = query.filled_in(chosen, RANGE, INTERVAL);
        let series = if query.instant {
            self.prometheus.query_at(self.end, &expression)
        } else {
            let server = &self.prometheus;
            server.query_until(self.end, &expression, BARS, INTERVAL)
        };
        series.unwrap_or_else(|error| panic!("{query:?}: {error}"))
    }

    fn answers(&self, query: &Query, chosen: &Chosen) -> Answers {
        let series = self.series(query, chosen);
        series
            .iter()
            .map(|series| (series["metric"].to_string(), number(series)))
            .collect()
    }

    /// Returns the answers of the query with this letter in the panel of the overview or
    /// health.
    fn panel(&self, (file, title, letter): (&str, &str, &str), account: &str) -> Answers {
        let boards = Dashboard::all();
        let board = boards.iter().find(|board| board.uid().ends_with(file));
        let board = board.expect("a dashboard");
        let mut chosen = self.chosen(board);
        chosen.insert("account".to_owned(), account.to_owned());
        let queries = board.queries();
        let query = queries
            .iter()
            .find(|query| query.title == title && query.letter == letter);
        self.answers(query.expect("a panel"), &chosen)
    }
}

/// Returns the end of the past, far enough behind for a server to hold all of it.
fn end() -> i64 {
    Timestamp::now().as_second() / 600 * 600 - 600
}

/// Returns the value of a series, or the sum of its points.
fn number(series: &Value) -> f64 {
    let parse = |point: &Value| point[1].as_str()?.parse::<f64>().ok();
    match series["values"].as_array() {
        Some(points) => points.iter().filter_map(parse).sum(),
        None => parse(&series["value"]).expect("a number"),
    }
}

fn sum(answers: &Answers) -> f64 {
    answers.values().sum()
}

#[test]
fn no_panel_shows_another_job() {
    let Some(program) = tools::require("prometheus") else {
        return;
    };
    let end = end();
    let start = |with_other_jobs| Server::prometheus(&program, end, with_other_jobs);
    let (Some(alone), Some(busy)) = (start(false), start(true)) else {
        return;
    };
    for board in Dashboard::all() {
        let chosen = busy.chosen(&board);
        assert!(
            chosen.values().all(|value| !value.contains(STRANGER)),
            "{chosen:?}"
        );
        let without = alone.chosen(&board);
        for query in board.queries() {
            let answers = busy.answers(&query, &chosen);
            let shown = answers.keys().find(|labels| labels.contains(STRANGER));
            assert_eq!(shown, None, "{query:?}");
            assert_eq!(answers, alone.answers(&query, &without), "{query:?}");
        }
    }
}

#[test]
fn no_panel_is_empty_while_one_account_is_chosen() {
    let Some(program) = tools::require("prometheus") else {
        return;
    };
    let Some(server) = Server::prometheus(&program, end(), true) else {
        return;
    };
    for board in Dashboard::all() {
        let mut chosen = server.chosen(&board);
        chosen.insert("account".to_owned(), "alone".to_owned());
        let empty = |query: &Query| {
            let in_a_panel = !query.letter.is_empty();
            in_a_panel && server.series(query, &chosen).is_empty()
        };
        let empty: Vec<_> = board.queries().into_iter().filter(empty).collect();
        assert!(empty.is_empty(), "{empty:?}");
    }
    let types = server.panel(("overview", "Event types", "A"), "alone");
    let described = types.keys().filter(|labels| labels.contains("in words"));
    assert_eq!(described.count(), 3, "{types:?}");
}

const HEADLINE: (&str, &str, &str) = ("overview", "Events", "A");
const BY: [(&str, &str, &str); 3] = [
    ("overview", "Events of each source", "A"),
    ("overview", "Events by country", "A"),
    ("overview", "Event types", "A"),
];

/// Two exporters of one account count each event once, and neither a replaced target nor a
/// lost state loses any.
#[test]
fn one_thing_has_one_number() {
    for server in Server::all() {
        for (account, events) in EVENTS {
            let headline = server.panel(HEADLINE, account);
            assert!(is(events)(sum(&headline)), "{account}: {headline:?}");
        }
        let all: f64 = EVENTS.iter().map(|(_, events)| events).sum();
        for account in EVENTS.iter().map(|(name, _)| *name).chain([".*"]) {
            let events = EVENTS.iter().find(|(name, _)| *name == account);
            let events = events.map_or(all, |(_, events)| *events);
            for panel in BY {
                let answers = server.panel(panel, account);
                assert!(
                    is(events)(sum(&answers)),
                    "{panel:?} of {account}: {answers:?}"
                );
            }
            let bars = ["A", "B"].map(|letter| {
                let panel = ("overview", "Events by type", letter);
                sum(&server.panel(panel, account))
            });
            assert!(is(events)(bars.iter().sum()), "{account}: {bars:?}");
        }
    }
}

#[test]
fn the_state_of_each_account_is_named_with_what_to_do() {
    for server in Server::all() {
        let states = [
            ("alone", 1.0, "Nothing", 1),
            ("shared", 2.0, "stop the other exporter", 2),
            ("moved", 1.0, "Nothing", 1),
            ("lost", 1.0, "Nothing", 1),
            ("fresh", 4.0, "the first poll has not ended yet", 1),
            ("behind", 3.0, "Nothing: history or an outage", 1),
            ("rejected", 6.0, "Correct the key or the secret", 1),
            ("dead", 7.0, "Start the exporter", 1),
        ];
        for (account, state, to_do, rows) in states {
            let found = server.panel(("health", "State of each account", "A"), account);
            let of_account = format!("\"account\":\"{account}\"");
            let found: Vec<_> = found
                .iter()
                .filter(|(labels, _)| labels.contains(&of_account))
                .collect();
            assert_eq!(found.len(), rows, "{account}: {found:?}");
            for (labels, value) in found {
                assert!(is(state)(*value), "{account}: {value} {labels}");
                assert!(labels.contains(to_do), "{account}: {labels}");
            }
            for board in [("health", "State", "A"), ("overview", "Audit API", "A")] {
                let worst = server.panel(board, account);
                assert!(is(state)(sum(&worst)), "{account}: {worst:?}");
            }
        }
        let twice = server.panel(("health", "State of each account", "E"), "shared");
        assert!(twice.values().copied().all(is(2.0)), "{twice:?}");
        let far = server.panel(("health", "State of each account", "C"), "behind");
        assert!(is(3.0 * 86_400.0)(sum(&far)), "{far:?}");
        for (letter, accounts) in [("A", 2.0), ("B", 8.0)] {
            let counted = server.panel(("health", "Accounts", letter), ".*");
            assert!(is(accounts)(sum(&counted)), "{letter}: {counted:?}");
        }
    }
}
