//! The start and the memory of each peer.

use std::time::{Duration, Instant};

use test_support::pacing;

use super::{
    peers::Peers,
    report::median,
    running::Memory,
    scrape::{Ask, Scraper},
};

/// The number of scrapes, for which a server that scrapes every 15 s takes 2.5 minutes.
const SCRAPES: usize = 10;
/// The pause between two scrapes, after which each is a scrape by itself.
const PAUSE: Duration = Duration::from_millis(250);
/// The numbers of starts of a fast and of a slow peer.
const STARTS: usize = 7;
const SLOW_STARTS: usize = 3;
const SLOW: Duration = Duration::from_millis(500);

/// The footprint of a peer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Footprint {
    pub(crate) name: &'static str,
    /// The time from the start to the last byte of the first answer that shows all
    /// series.
    pub(crate) start: Duration,
    /// The processor time of the start.
    pub(crate) start_processor_seconds: f64,
    /// The latency of a scrape by itself.
    pub(crate) latency: Duration,
    /// The processor time of the peer for such a scrape.
    pub(crate) processor_seconds: f64,
    /// The memory after [`SCRAPES`] scrapes.
    pub(crate) memory: Memory,
    /// The memory after all load.
    pub(crate) after_load: Memory,
}

/// Starts each peer several times, and leaves it running.
pub(crate) fn measure(peers: &mut Peers) -> Vec<Footprint> {
    let series = peers.series;
    let mut footprints = Vec::new();
    for peer in &mut peers.all {
        let (mut starts, mut costs): (Vec<Duration>, Vec<f64>) = Default::default();
        while starts.len() < SLOW_STARTS || (starts.len() < STARTS && starts[0] < SLOW) {
            peer.stop();
            let scraper = Scraper::new();
            let started = Instant::now();
            peer.start();
            let all = |answer: &super::scrape::Answer| answer.series() == series;
            let answer = scraper.ask_until(&peer.url, Ask::TEXT, all);
            starts.push(answer.arrived - started);
            costs.push(peer.running().seconds_of_threads());
        }
        let scraper = Scraper::new();
        let mut latencies = Vec::new();
        let processor_seconds = peer.running().cost(|| {
            for _ in 0..SCRAPES {
                pacing::wait(PAUSE);
                let answer = scraper.ask(&peer.url, Ask::TEXT).expect(peer.name);
                latencies.push(answer.took);
            }
        });
        footprints.push(Footprint {
            name: peer.name,
            start: middle(&starts),
            start_processor_seconds: median(costs),
            latency: middle(&latencies),
            processor_seconds: processor_seconds / SCRAPES as f64,
            memory: peer.running().memory(),
            after_load: Memory::default(),
        });
    }
    footprints
}

fn middle(durations: &[Duration]) -> Duration {
    Duration::from_secs_f64(median(durations.iter().map(Duration::as_secs_f64)))
}

/// Measures the memory again, after the load.
pub(crate) fn look_again(peers: &Peers, footprints: &mut [Footprint]) {
    for (peer, footprint) in peers.all.iter().zip(footprints) {
        footprint.after_load = peer.running().memory();
    }
}
