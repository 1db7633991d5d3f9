//! Scrapes at full speed over several connections, by `wrk`.

use std::{process::Command, time::Duration};

use test_support::repository;

use super::{scrape::Ask, tools};

const SCRIPT: &str = "benches/side_by_side/wrk.lua";

/// The result of a load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) scrapes: u64,
    pub(crate) per_second: f64,
    pub(crate) p99: Duration,
    /// The number of requests without an answer of status 200.
    pub(crate) errors: u64,
}

/// Scrapes for this number of seconds.
pub(crate) fn run(url: &str, ask: Ask, connections: u32, seconds: u32) -> Load {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = usize::try_from(connections).map_or(cores, |most| most.min(cores));
    let mut wrk = Command::new(tools::program("wrk"));
    wrk.arg("--script")
        .arg(repository(SCRIPT))
        .args(["--timeout", "60s"])
        .args(["--threads", &threads.to_string()])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{seconds}s")]);
    for (name, value) in ask.headers() {
        wrk.arg("--header").arg(format!("{name}: {value}"));
    }
    let output = wrk.arg(url).output().expect("wrk runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let load = said.lines().find_map(parse);
    load.unwrap_or_else(|| {
        let errors = String::from_utf8_lossy(&output.stderr);
        panic!("{wrk:?} says:\n{said}{errors}")
    })
}

/// Reads the line that the script prints: scrapes, microseconds, p99 in microseconds,
/// errors.
fn parse(line: &str) -> Option<Load> {
    let mut fields = line.strip_prefix("RESULT ")?.split(' ');
    let mut next = || fields.next()?.parse::<u64>().ok();
    let (scrapes, took, p99, errors) = (next()?, next()?, next()?, next()?);
    Some(Load {
        scrapes,
        per_second: scrapes as f64 * 1e6 / took as f64,
        p99: Duration::from_micros(p99),
        errors,
    })
}
