//! Scrapes per second and their latency, of all peers in turn.

use std::time::Duration;

use super::{
    SERIES, load,
    peers::{
        CEILING, CEILING_OPENMETRICS, OURS, OURS_OPENMETRICS, Peer, Peers, is_exporter_beside,
    },
    scrape::{Ask, Encoding, Format, Scraper},
    settings::Settings,
};

/// The most seconds of load for an exporter beside. It is far from the exporter and the
/// ceiling, which take turns of a second.
const FAR_OFF: u32 = 2;
/// The highest number of connections with which an exporter beside is measured. With more it
/// is as far off.
const FAR_OFF_CONNECTIONS: u32 = 8;
/// The numbers of connections that are measured with other numbers of series than
/// [`SERIES`]. Those between tell nothing more.
const EXTREMES: [u32; 2] = [1, 64];
/// The time in which a peer has to finish the requests of a load.
const REST: Duration = Duration::from_secs(5);

/// The measurement of a peer with a number of series, connections, and one encoding.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) name: &'static str,
    pub(crate) series: usize,
    pub(crate) encoding: Encoding,
    pub(crate) connections: u32,
    /// The size of an answer as it was sent.
    pub(crate) bytes: usize,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Measured(Measured),
    /// Why the cell was not measured.
    Left(String),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    /// The 99th percentile of the latency, or the latency of a single scrape if there
    /// was time for only one.
    pub(crate) p99: Duration,
    /// The processor time of the peer for 1,000 scrapes.
    pub(crate) processor_seconds: f64,
    pub(crate) errors: u64,
}

impl Cell {
    pub(crate) fn measured(&self) -> Option<Measured> {
        match self.outcome {
            Outcome::Measured(measured) => Some(measured),
            Outcome::Left(_) => None,
        }
    }
}

/// A peer that can be scraped, and what is known of it.
struct Row<'p> {
    name: &'static str,
    peer: &'p Peer,
    url: String,
    ask: Ask,
    /// The latency of a first scrape.
    took: Duration,
    bytes: usize,
}

impl Row<'_> {
    /// Returns how long a scrape takes while scrapes on all connections wait for answers.
    fn expected(&self, connections: u32) -> Duration {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.took
            .mul_f64((f64::from(connections) / cores as f64).max(1.0))
    }
}

/// Measures each peer for a second, several times in turn, so that a disturbance affects
/// all of them.
fn in_turns(rows: &[&Row<'_>], connections: u32, settings: &Settings) -> Vec<Outcome> {
    let mut taken: Vec<Vec<Measured>> = vec![Vec::new(); rows.len()];
    for _ in 0..settings.seconds {
        for (row, taken) in rows.iter().zip(&mut taken) {
            taken.extend(under_load(row, connections, 1));
        }
    }
    taken.iter().map(|taken| median(taken)).collect()
}

/// Measures an exporter beside for the time of several scrapes.
fn by_itself(row: &Row<'_>, connections: u32, seconds: u32) -> Outcome {
    let long_enough = row.expected(connections) * 3;
    let long_enough = long_enough.as_secs_f64().ceil() as u32;
    let taken = under_load(row, connections, seconds.min(FAR_OFF).max(long_enough));
    row.peer.running().wait_until_it_rests(REST);
    median(taken.as_slice())
}

/// Returns `true` if something is learned from this many connections.
fn is_told(series: usize, connections: u32) -> bool {
    series == SERIES || EXTREMES.contains(&connections)
}

/// Measures all cells of these peers.
pub(crate) fn measure(settings: &Settings, peers: &Peers) -> Vec<Cell> {
    let mut cells = Vec::new();
    for encoding in Encoding::ALL {
        let mut left = Vec::new();
        let rows = rows(peers, encoding, &mut left);
        let connections = settings.connections.iter();
        for connections in connections.filter(|number| is_told(peers.series, **number)) {
            let cell = |name, bytes, outcome| Cell {
                name,
                series: peers.series,
                encoding,
                connections: *connections,
                bytes,
                outcome,
            };
            for (name, bytes, why) in &left {
                cells.push(cell(name, *bytes, Outcome::Left((*why).to_owned())));
            }
            let close = |row: &&Row<'_>| !is_exporter_beside(row.name);
            let (close, others): (Vec<_>, Vec<_>) = rows.iter().partition(close);
            for (row, outcome) in close.iter().zip(in_turns(&close, *connections, settings)) {
                cells.push(cell(row.name, row.bytes, outcome));
            }
            let is_measured = *connections <= FAR_OFF_CONNECTIONS;
            for row in others.into_iter().filter(|_| is_measured) {
                let outcome = by_itself(row, *connections, settings.seconds);
                cells.push(cell(row.name, row.bytes, outcome));
            }
        }
    }
    for cell in &cells {
        super::report::progress(&super::report::cell(cell));
    }
    cells
}

/// Scrapes each peer once, and checks the answer: all peers serve the same series.
fn rows<'p>(
    peers: &'p Peers,
    encoding: Encoding,
    left: &mut Vec<(&'static str, usize, &'static str)>,
) -> Vec<Row<'p>> {
    let scraper = Scraper::new();
    let mut asks: Vec<_> = peers
        .all
        .iter()
        .map(|peer| (peer.name, peer, Format::Text))
        .collect();
    for (name, also) in [(OURS, OURS_OPENMETRICS), (CEILING, CEILING_OPENMETRICS)] {
        let peer = peers.all.iter().find(|peer| peer.name == name);
        asks.extend(peer.map(|peer| (also, peer, Format::OpenMetrics)));
    }
    let mut rows = Vec::new();
    for (name, peer, format) in asks {
        let (ask, url) = (Ask { format, encoding }, peer.url_of(format));
        // A first scrape may have to prepare something.
        scraper.ask(&url, ask).expect(name);
        let answer = scraper.ask(&url, ask).expect(name);
        assert_eq!(answer.series(), peers.series, "series of {name}, {ask:?}");
        if answer.is_gzip != (encoding == Encoding::Gzip) {
            left.push((name, answer.bytes, "does not compress"));
        } else if answer.is_openmetrics != (name == OURS_OPENMETRICS) {
            left.push((name, answer.bytes, "not this format"));
        } else {
            rows.push(Row {
                name,
                peer,
                url,
                ask,
                took: answer.took,
                bytes: answer.bytes,
            });
        }
    }
    rows
}

/// Returns `None` if no scrape was completed.
fn under_load(row: &Row<'_>, connections: u32, seconds: u32) -> Option<Measured> {
    let before = row.peer.running().processor_seconds();
    let load = load::run(&row.url, row.ask, connections, seconds);
    let used = row.peer.running().processor_seconds() - before;
    (load.scrapes > 0).then(|| Measured {
        per_second: load.per_second,
        p99: load.p99,
        processor_seconds: used * 1000.0 / load.scrapes as f64,
        errors: load.errors,
    })
}

/// Returns the medians of each figure by itself.
fn median(taken: &[Measured]) -> Outcome {
    if taken.is_empty() {
        return Outcome::Left("no answer in time".to_owned());
    }
    let figure = |figure: fn(&Measured) -> f64| super::report::median(taken.iter().map(figure));
    Outcome::Measured(Measured {
        per_second: figure(|measured| measured.per_second),
        p99: Duration::from_secs_f64(figure(|measured| measured.p99.as_secs_f64())),
        processor_seconds: figure(|measured| measured.processor_seconds),
        errors: taken.iter().map(|measured| measured.errors).sum(),
    })
}
