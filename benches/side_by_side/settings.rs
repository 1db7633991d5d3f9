//! The settings of a run, which measures everything unless the environment says otherwise.

use std::{env, path::PathBuf};

use test_support::program::executable;

/// The settings of a run. `BENCH_SHORT` chooses the values of a run of two minutes for those
/// that are not set.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// `BENCH_SECONDS`: the seconds of load on each cell.
    pub(crate) seconds: u32,
    /// `BENCH_SERIES`: the numbers of series, which are measured one after the other.
    pub(crate) series: Vec<usize>,
    /// `BENCH_CONNECTIONS`: the numbers of connections that scrape at once.
    pub(crate) connections: Vec<u32>,
    /// `BENCH_EVENTS`: the number of events of the backlog, and of remembered ids.
    pub(crate) events: usize,
    /// `BENCH_ACCOUNTS`: the number of accounts in one exporter.
    pub(crate) accounts: usize,
    /// `BENCH_MINUTES`: the minutes of the part `hour`.
    pub(crate) minutes: u32,
    /// `BENCH_PARTS`: some of [`PARTS`], or `hour`.
    pub(crate) parts: Vec<String>,
    /// `BENCH_PEERS`: the beginnings of names of peers; empty for all peers.
    pub(crate) peers: Vec<String>,
    /// `BENCH_BINARY`: the exporter, instead of the one built with this benchmark.
    pub(crate) binary: PathBuf,
    /// `true` if no variable is set, so that the results are kept.
    pub(crate) is_whole: bool,
}

/// The parts that can be measured by themselves, beside `hour`.
const PARTS: &str = "scrapes,catch-up,beside-loop,backlog,accounts,counting,polls,instructions";
/// The parts of a short run, and their peers, which are no scripts.
const SHORT_PARTS: &str = "scrapes,beside-loop,backlog,counting";
const SHORT_PEERS: &str = "nginx,prometheus-pushgateway";

impl Settings {
    /// Reads the settings from the environment.
    pub(crate) fn from_environment() -> Self {
        let known = [
            "SHORT",
            "SECONDS",
            "SERIES",
            "CONNECTIONS",
            "EVENTS",
            "ACCOUNTS",
            "MINUTES",
            "PARTS",
            "PEERS",
            "BINARY",
        ];
        let is_short = read("SHORT").is_some();
        let setting = |name, whole: &str, short: &str| {
            let default = if is_short { short } else { whole };
            read(name).unwrap_or_else(|| default.to_owned())
        };
        Self {
            seconds: number(&setting("SECONDS", "5", "2")),
            series: numbers(&setting("SERIES", "100,10000,100000", "10000")),
            connections: numbers(&setting("CONNECTIONS", "1,8,64", "8,64")),
            events: number(&setting("EVENTS", "100000", "50000")),
            accounts: number(&setting("ACCOUNTS", "10000", "10000")),
            minutes: number(&setting("MINUTES", "60", "60")),
            parts: list(&setting("PARTS", PARTS, SHORT_PARTS)),
            peers: list(&setting("PEERS", "", SHORT_PEERS)),
            binary: read("BINARY").map_or_else(executable, PathBuf::from),
            is_whole: known.iter().all(|name| read(name).is_none()),
        }
    }

    /// Returns `true` if this part is measured.
    pub(crate) fn measures(&self, part: &str) -> bool {
        self.parts.iter().any(|wanted| wanted == part)
    }

    /// Returns `true` if this peer is measured.
    pub(crate) fn includes(&self, peer: &str) -> bool {
        let named = |wanted: &String| peer.starts_with(wanted.as_str());
        self.peers.is_empty() || self.peers.iter().any(named)
    }
}

fn read(name: &str) -> Option<String> {
    env::var(format!("BENCH_{name}")).ok()
}

fn list(text: &str) -> Vec<String> {
    let items = text.split(',').filter(|item| !item.is_empty());
    items.map(str::to_owned).collect()
}

fn numbers<N: std::str::FromStr>(text: &str) -> Vec<N> {
    list(text).iter().map(|item| number(item)).collect()
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("a BENCH_ variable says {text:?}, which is no number"))
}
