//! The latency of a scrape while a backlog is counted, beside that of an idle exporter.

use std::{fs, time::Duration};

use test_support::workload::seed;

use super::{
    load, ours,
    report::{median, progress},
    running::{Running, command, folder, free_address},
    scrape::{Ask, Scraper},
    settings::Settings,
    simulator::Simulator,
};

/// The latency of the API, as over the internet. Counting still takes all of a core
/// that the API leaves.
pub(crate) const LATENCY: Duration = Duration::from_millis(50);
/// The number of pages at once, and the size of a page.
const PAGES: usize = 8;
const PAGE: usize = 100;
const CONNECTIONS: [u32; 2] = [1, 8];
const RUNS: u32 = 3;
/// The time in which the exporter has to become idle.
const REST: Duration = Duration::from_secs(20);

/// The 99th percentiles with a number of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backlog {
    pub(crate) connections: u32,
    pub(crate) counting: Duration,
    pub(crate) idle: Duration,
}

/// Measures an exporter with this number of series.
pub(crate) fn measure(settings: &Settings, series: usize) -> Vec<Backlog> {
    let place = folder();
    let api = Simulator::start(settings, place.path(), settings.events, LATENCY);
    // The API is another machine, which takes no processor from the exporter.
    api.running.give_way();
    let seeded = place.path().join("seeded");
    seed::seed(&seeded, series, settings.events.max(series));
    let runs = RUNS.min(settings.seconds);
    let mut backlogs = Vec::new();
    for connections in CONNECTIONS {
        let run = |_| one(settings, &api, &seeded, connections);
        let (counting, idle): (Vec<_>, Vec<_>) = (0..runs).filter_map(run).unzip();
        if counting.is_empty() {
            progress("the backlog was counted before it could be measured");
            continue;
        }
        backlogs.push(Backlog {
            connections,
            counting: Duration::from_secs_f64(median(counting)),
            idle: Duration::from_secs_f64(median(idle)),
        });
    }
    backlogs
}

/// Returns both figures in seconds, or `None` if counting ended before the load.
fn one(
    settings: &Settings,
    api: &Simulator,
    seeded: &std::path::Path,
    connections: u32,
) -> Option<(f64, f64)> {
    let (place, address) = (folder(), free_address());
    let storage = place.path().join("data");
    fs::create_dir(&storage).expect("a folder");
    fs::copy(seeded.join("state.redb"), storage.join("state.redb")).expect("a store");
    let mut exporter = ours::serve(command(&settings.binary), api, &storage, address);
    // A deep poll would continue after the backlog is counted.
    exporter.arg("--poll.reconcile-interval=0");
    let log = place.path().join("exporter.log");
    let exporter = Running::start(&mut exporter, &log);
    let (scraper, url) = (Scraper::new(), format!("http://{address}/metrics"));
    scraper.ask_until(&url, Ask::TEXT, |answer| answer.series() > 0);
    // The load takes as long as the API alone takes for half of the backlog.
    let pages = settings.events / PAGE;
    let seconds = LATENCY.as_secs_f64() * pages as f64 / PAGES as f64 / 2.0;
    let seconds = seconds.clamp(1.0, 3.0) as u32;
    let counting = load::run(&url, Ask::TEXT, connections, seconds);
    if ours::has_caught_up(&log) {
        return None;
    }
    ours::wait_until_caught_up(&log);
    exporter.wait_until_it_rests(REST);
    let idle = load::run(&url, Ask::TEXT, connections, seconds);
    progress(&format!(
        "{connections} connections, {seconds} s: counting {counting:?}, idle {idle:?}"
    ));
    Some((counting.p99.as_secs_f64(), idle.p99.as_secs_f64()))
}
