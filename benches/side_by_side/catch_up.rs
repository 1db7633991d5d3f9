//! The time to count all events of an API, from the start: the exporter, and a script
//! as a user might write it.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use super::{
    bare_loop, ours,
    report::{median, progress},
    running::{Running, command, folder, free_address},
    scrape::{Answer, Ask, FAMILY, Scraper, is_series},
    settings::Settings,
    simulator::{KEY, SECRET, Simulator},
    tools,
};

/// The latencies of the API: none, and that of the internet.
pub(crate) const LATENCIES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(50)];

/// The number of runs of the exporter, which is fast enough for several.
const RUNS: usize = 3;
/// The factor by which more events are read beside a bare loop.
const LONGER: usize = 10;

pub(crate) const SCRIPT: &str = "Node.js, @vonage/audit and prom-client";

/// The result of one catch-up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CatchUp {
    pub(crate) name: &'static str,
    pub(crate) latency: Duration,
    /// The time from the start of the process until everything is shown.
    pub(crate) took: Duration,
    pub(crate) processor_seconds: f64,
    /// The processor time of the simulator in that time.
    pub(crate) api_processor_seconds: f64,
    /// The memory in bytes.
    pub(crate) peak_memory: u64,
}

/// The times of a catch-up and of a loop that reads the same pages and throws them away.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BesideLoop {
    pub(crate) events: usize,
    pub(crate) took: Duration,
    pub(crate) bare: Duration,
}

impl BesideLoop {
    /// Returns the rate of the catch-up as a part of that of the loop.
    pub(crate) fn ratio(self) -> f64 {
        self.bare.as_secs_f64() / self.took.as_secs_f64()
    }
}

/// Measures the exporter and a bare loop in turn, with an API that answers at once.
pub(crate) fn beside_loop(settings: &Settings) -> BesideLoop {
    let (place, latency) = (folder(), Duration::ZERO);
    let events = settings.events * LONGER;
    let api = Simulator::start(settings, place.path(), events, latency);
    let run = |_| {
        let took = by_ours(settings, (&api, events), latency).took;
        let bare = bare_loop::time(&api, events, place.path());
        (took.as_secs_f64(), bare.as_secs_f64())
    };
    let (took, bare): (Vec<_>, Vec<_>) = (0..RUNS).map(run).unzip();
    let [took, bare] = [took, bare].map(|runs| Duration::from_secs_f64(median(runs)));
    let beside = BesideLoop { events, took, bare };
    progress(&format!("{beside:?}"));
    beside
}

/// Measures both programs with each latency.
pub(crate) fn measure(settings: &Settings) -> Vec<CatchUp> {
    let mut all = Vec::new();
    for latency in LATENCIES {
        let place = folder();
        let api = Simulator::start(settings, place.path(), settings.events, latency);
        let mut runs: Vec<CatchUp> = (0..RUNS)
            .map(|_| by_ours(settings, (&api, settings.events), latency))
            .collect();
        runs.sort_by_key(|run| run.took);
        all.push(runs[RUNS / 2]);
        all.push(by_script(settings, &api, latency));
    }
    all
}

fn by_ours(settings: &Settings, (api, events): (&Simulator, usize), latency: Duration) -> CatchUp {
    let (place, address) = (folder(), free_address());
    let storage = place.path().join("data");
    let mut exporter = ours::serve(command(&settings.binary), api, &storage, address);
    exporter.arg("--poll.start=24h");
    let log = place.path().join("exporter.log");
    one(
        super::peers::OURS,
        (api, events, latency),
        (&mut exporter, &log),
        &format!("http://{address}"),
        |_| {
            ours::wait_until_caught_up(&log);
            Instant::now()
        },
    )
}

fn by_script(settings: &Settings, api: &Simulator, latency: Duration) -> CatchUp {
    let (place, address) = (folder(), free_address());
    let mut script = command(tools::program("node"));
    script
        .env("NODE_PATH", tools::node_modules())
        .env("NEXMO_API_KEY", KEY)
        .env("NEXMO_API_SECRET", SECRET)
        .arg(tools::script("catch_up.cjs"))
        .args([&api.host, &address.port().to_string()]);
    let url = format!("http://{address}");
    one(
        SCRIPT,
        (api, settings.events, latency),
        (&mut script, &place.path().join("script.log")),
        &url,
        // The script does not answer before all events are counted.
        |scraper| {
            let ready = scraper.ask_until(&format!("{url}/-/ready"), Ask::TEXT, |_| true);
            ready.arrived
        },
    )
}

/// Starts a program, and measures it until `wait` has returned the time at which all events
/// are counted.
fn one(
    name: &'static str,
    (api, all, latency): (&Simulator, usize, Duration),
    (command, log): (&mut Command, &Path),
    url: &str,
    wait: impl FnOnce(&Scraper) -> Instant,
) -> CatchUp {
    let scraper = Scraper::new();
    let api_before = api.running.processor_seconds();
    let started = Instant::now();
    let running = Running::start(command, log);
    let ended = wait(&scraper);
    let catch_up = CatchUp {
        name,
        latency,
        took: ended - started,
        processor_seconds: running.processor_seconds(),
        api_processor_seconds: api.running.processor_seconds() - api_before,
        peak_memory: running.memory().peak,
    };
    let shown = scraper
        .ask(&format!("{url}/metrics"), Ask::TEXT)
        .expect(name);
    assert_eq!(events(&shown), all, "events that {name} counted");
    progress(&format!("{catch_up:?}"));
    catch_up
}

/// Returns the number of events shown in all series together.
pub(crate) fn events(answer: &Answer) -> usize {
    let text = std::str::from_utf8(&answer.text).expect("text");
    let lines = text.lines().filter(|line| is_series(line.as_bytes()));
    let values = lines.map(|line| line.rsplit(' ').next().and_then(|value| value.parse().ok()));
    values
        .map(|value: Option<usize>| value.expect(FAMILY))
        .sum()
}
