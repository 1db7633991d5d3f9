//! The requests of a poll, beside those that the lookback takes if each poll reads it again.

use std::{
    thread,
    time::{Duration, Instant},
};

use test_support::{exposition, pacing};

use super::{
    ours,
    report::progress,
    running::{Running, command, folder, free_address},
    scrape::{Ask, Scraper},
    settings::Settings,
    simulator::Simulator,
};

/// The number of events each second.
const RATES: [f64; 2] = [10.0, 0.001];
/// The defaults of the exporter, in seconds.
const INTERVAL: u32 = 30;
const LOOKBACK: u32 = 900;
/// The number of polls that are measured, and of those before them.
const POLLS: u32 = 8;
const BEFORE: u32 = 3;
const PAGE: f64 = 100.0;
/// The latency of the API, as over the internet.
const LATENCY: Duration = Duration::from_millis(50);
/// The time from one look at the exporter to the next.
const LOOK: Duration = Duration::from_secs(1);

/// The requests of an account's polls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Polling {
    /// The number of events each second.
    pub(crate) rate: f64,
    /// The mean number of requests of a poll.
    pub(crate) requests: f64,
    /// The highest number of requests of a poll.
    pub(crate) most: f64,
    /// The number of pages that the lookback fills, with the time since the last poll.
    pub(crate) pages: f64,
}

/// Measures all rates at once, with the defaults of the exporter.
pub(crate) fn measure(settings: &Settings) -> Vec<Polling> {
    thread::scope(|scope| {
        let runs = RATES.map(|rate| scope.spawn(move || one(settings, rate)));
        let runs = runs.into_iter();
        runs.map(|run| run.join().expect("it polls")).collect()
    })
}

fn one(settings: &Settings, rate: f64) -> Polling {
    let (place, address) = (folder(), free_address());
    let api = Simulator::busy(settings, place.path(), rate, LATENCY);
    let storage = place.path().join("data");
    let mut exporter = ours::serve(command(&settings.binary), &api, &storage, address);
    exporter.arg("--poll.start=20m");
    let _exporter = Running::start(&mut exporter, &place.path().join("exporter.log"));
    let url = format!("http://{address}/metrics");
    let scraper = Scraper::new();
    let requests = requests_of_polls(&scraper, &url, BEFORE + POLLS);
    let requests = &requests[BEFORE as usize..];
    let sum: f64 = requests.iter().sum();
    let polling = Polling {
        rate,
        requests: sum / f64::from(POLLS),
        most: requests.iter().copied().fold(0.0, f64::max),
        pages: (rate * f64::from(LOOKBACK + INTERVAL) / PAGE).ceil(),
    };
    progress(&format!("{polling:?} of {requests:?}"));
    polling
}

/// Returns the number of requests of each poll, from the first one on.
fn requests_of_polls(scraper: &Scraper, url: &str, polls: u32) -> Vec<f64> {
    let mut requests: Vec<f64> = Vec::new();
    let mut before = 0.0;
    let started = Instant::now();
    let limit = Duration::from_secs((INTERVAL * (polls + 4)).into());
    while requests.len() < polls as usize {
        assert!(started.elapsed() < limit, "{requests:?}");
        pacing::wait(LOOK);
        let Ok(answer) = scraper.ask(url, Ask::TEXT) else {
            continue;
        };
        let text = String::from_utf8_lossy(&answer.text);
        let samples = exposition::samples(&text);
        let ended: f64 = sum(&samples, "nexmo_audit_poll_duration_seconds_count");
        if ended > requests.len() as f64 {
            let all = sum(&samples, "nexmo_audit_api_requests_total");
            requests.push(all - before);
            before = all;
        }
    }
    requests
}

/// Returns the sum of the samples of this name that belong to lists.
fn sum(samples: &[exposition::Sample], name: &str) -> f64 {
    let of_lists = samples.iter().filter(|sample| {
        let operation = sample.labels.get("operation");
        sample.name == name && operation.is_none_or(|operation| operation == "list")
    });
    of_lists.map(|sample| sample.value).sum()
}
