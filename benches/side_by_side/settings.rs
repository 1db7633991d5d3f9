//! The settings of a run, which measures everything unless the environment says otherwise.

use std::{env, path::PathBuf};

use test_support::program::executable;

/// The settings of a run.
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
    /// `BENCH_PARTS`: some of [`PARTS`].
    pub(crate) parts: Vec<String>,
    /// `BENCH_PEERS`: the beginnings of names of peers; empty for all peers.
    pub(crate) peers: Vec<String>,
    /// `BENCH_BINARY`: the exporter, instead of the one built with this benchmark.
    pub(crate) binary: PathBuf,
    /// `true` if no variable is set, so that the results are kept.
    pub(crate) is_whole: bool,
}

/// The parts that can be measured by themselves.
pub(crate) const PARTS: [&str; 6] = [
    "scrapes",
    "catch-up",
    "backlog",
    "counting",
    "polls",
    "instructions",
];

impl Settings {
    /// Reads the settings from the environment.
    pub(crate) fn from_environment() -> Self {
        let known = [
            "SECONDS",
            "SERIES",
            "CONNECTIONS",
            "EVENTS",
            "PARTS",
            "PEERS",
            "BINARY",
        ];
        Self {
            seconds: number(read("SECONDS").as_deref().unwrap_or("5")),
            series: numbers("SERIES", "100,10000,100000"),
            connections: numbers("CONNECTIONS", "1,8,64"),
            events: number(read("EVENTS").as_deref().unwrap_or("100000")),
            parts: list(&read("PARTS").unwrap_or_else(|| PARTS.join(","))),
            peers: list(&read("PEERS").unwrap_or_default()),
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

fn numbers<N: std::str::FromStr>(name: &str, default: &str) -> Vec<N> {
    let text = read(name).unwrap_or_else(|| default.to_owned());
    list(&text).iter().map(|item| number(item)).collect()
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("a BENCH_ variable says {text:?}, which is no number"))
}
