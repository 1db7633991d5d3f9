//! The aims of the exporter, and whether it reaches them.

use std::{fs, path::Path};

use super::{
    footprint::Footprint,
    peers::{CEILING, OURS, is_exporter_beside},
    results::Results,
    scrape::Encoding,
};

/// The numbers of series and connections for which aims are judged.
const SERIES: usize = 10_000;
const CONNECTIONS: u32 = 8;

/// A line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Aim {
    pub(crate) measure: String,
    pub(crate) wanted: String,
    pub(crate) measured: String,
    /// `true` if the aim is reached; `None` if it was not measured.
    pub(crate) met: Option<bool>,
}

/// A figure with a lower or an upper limit.
#[derive(Debug, Clone, Copy)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Limit {
    fn holds(self, figure: f64) -> bool {
        match self {
            Limit::AtLeast(limit) => figure >= limit,
            Limit::AtMost(limit) => figure <= limit,
        }
    }
}

/// Returns all aims.
pub(crate) fn judge(results: &Results, binary: &Path) -> Vec<Aim> {
    let mut aims = Vec::new();
    for encoding in Encoding::ALL {
        aims.push(of_ceiling(results, encoding));
        aims.push(of_best_beside(results, encoding));
    }
    aims.push(backlog(results));
    aims.push(growth(results));
    aims.push(memory(results));
    aims.extend(start(results));
    aims.push(counting(results));
    aims.extend(polls(results));
    aims.push(size(binary));
    aims
}

fn aim(measure: &str, wanted: &str, limit: Limit, measured: Option<(f64, String)>) -> Aim {
    Aim {
        measure: measure.to_owned(),
        wanted: wanted.to_owned(),
        met: measured.as_ref().map(|(figure, _)| limit.holds(*figure)),
        measured: measured.map_or("not measured".to_owned(), |(_, text)| text),
    }
}

fn rate(results: &Results, name: &str, encoding: Encoding) -> Option<f64> {
    let measured = results.measured(name, SERIES, encoding, CONNECTIONS)?;
    Some(measured.per_second)
}

fn of_ceiling(results: &Results, encoding: Encoding) -> Aim {
    let of = |ours: f64, nginx: f64| {
        let ratio = ours / nginx;
        (
            ratio,
            format!("{ratio:.2} of nginx ({ours:.0} of {nginx:.0})"),
        )
    };
    let measured = rate(results, OURS, encoding)
        .zip(rate(results, CEILING, encoding))
        .map(|(ours, nginx)| of(ours, nginx));
    aim(
        &format!(
            "scrapes per second, 10,000 series, 8 connections, {}",
            encoding.name()
        ),
        "at least 0.9 of nginx with the same bytes",
        Limit::AtLeast(0.9),
        measured,
    )
}

fn of_best_beside(results: &Results, encoding: Encoding) -> Aim {
    let beside = results.cells.iter().filter(|cell| {
        is_exporter_beside(cell.name)
            && (cell.series, cell.encoding, cell.connections) == (SERIES, encoding, CONNECTIONS)
    });
    let rates = beside.filter_map(|cell| Some((cell.measured()?.per_second, cell.name)));
    let best = rates.max_by(|a, b| a.0.total_cmp(&b.0));
    let measured = rate(results, OURS, encoding)
        .zip(best)
        .map(|(ours, (best, name))| {
            let ratio = ours / best;
            (ratio, format!("{ratio:.0} times {name} ({best:.1})"))
        });
    aim(
        &format!("the same, {}, beside exporters", encoding.name()),
        "40 times the best exporter beside",
        Limit::AtLeast(40.0),
        measured,
    )
}

/// Compares with one connection, as a server scrapes.
fn backlog(results: &Results) -> Aim {
    let measured = results.backlogs.first().map(|backlog| {
        let ratio = backlog.counting.as_secs_f64() / backlog.idle.as_secs_f64();
        let text = format!(
            "{ratio:.1} times ({:.2?} of {:.2?})",
            backlog.counting, backlog.idle
        );
        (ratio, text)
    });
    aim(
        "p99 of a scrape while a backlog is being counted",
        "within 2 times of idle",
        Limit::AtMost(2.0),
        measured,
    )
}

/// Compares the fewest series with the most, by processor time and bytes.
fn growth(results: &Results) -> Aim {
    let growth = results.growth();
    let measured = growth.first().zip(growth.last()).map(|(least, most)| {
        let bytes = most.bytes as f64 / least.bytes as f64;
        let cost = most.microseconds / least.microseconds;
        let ratio = cost / bytes;
        let text = format!("{cost:.1} times the cost for {bytes:.1} times the bytes");
        (ratio, text)
    });
    let measured = measured.filter(|_| growth.len() > 1);
    aim(
        "scrape cost from the fewest series to the most",
        "grows as the bytes do, no faster",
        Limit::AtMost(1.0),
        measured,
    )
}

fn leanest(results: &Results, figure: fn(&Footprint) -> f64) -> Option<(f64, &'static str)> {
    let beside = results.footprints.iter();
    let beside = beside.filter(|footprint| is_exporter_beside(footprint.name));
    let figures = beside.map(|footprint| (figure(footprint), footprint.name));
    figures.min_by(|a, b| a.0.total_cmp(&b.0))
}

fn memory(results: &Results) -> Aim {
    let resident = |footprint: &Footprint| footprint.memory.resident as f64 / 1e6;
    let ours = results.footprint(OURS).map(resident);
    let measured = ours
        .zip(leanest(results, resident))
        .map(|(ours, (least, name))| {
            let ratio = ours / least;
            (
                ratio,
                format!("{ratio:.2} of {name} ({ours:.1} of {least:.1} MB)"),
            )
        });
    aim(
        "resident memory, 10,000 series and 100,000 ids",
        "a third of the leanest exporter beside",
        Limit::AtMost(1.0 / 3.0),
        measured,
    )
}

fn start(results: &Results) -> [Aim; 2] {
    let milliseconds = |footprint: &Footprint| footprint.start.as_secs_f64() * 1e3;
    let ours = results.footprint(OURS).map(milliseconds);
    let beside = ours
        .zip(leanest(results, milliseconds))
        .map(|(ours, (least, name))| {
            let ratio = ours / least;
            (ratio, format!("{ratio:.2} of {name} ({least:.0} ms)"))
        });
    [
        aim(
            "start to first answered scrape, 10,000 series stored",
            "under 50 ms",
            Limit::AtMost(50.0),
            ours.map(|ours| (ours, format!("{ours:.1} ms"))),
        ),
        aim(
            "the same, beside exporters",
            "a fifth of the leanest beside",
            Limit::AtMost(0.2),
            beside,
        ),
    ]
}

fn counting(results: &Results) -> Aim {
    let measured = results.counting.map(|counting| {
        let text = format!(
            "{:.0} by the clock, {:.0} by the processor's time",
            counting.per_second, counting.per_processor_second
        );
        (counting.per_second, text)
    });
    aim(
        "events counted per second per core, parse to commit",
        "300,000",
        Limit::AtLeast(300_000.0),
        measured,
    )
}

fn polls(results: &Results) -> Vec<Aim> {
    let polls = results.polls.iter().map(|polling| {
        let limit = if polling.rate < 1.0 { 1.0 } else { 6.0 };
        let text = format!(
            "{:.1}, at most {} ({} to read the lookback again)",
            polling.requests, polling.most, polling.pages
        );
        aim(
            &format!(
                "list requests of a poll, {} events per second",
                polling.rate
            ),
            &limit.to_string(),
            Limit::AtMost(limit),
            Some((polling.requests, text)),
        )
    });
    polls.collect()
}

/// A binary that needs a dynamic loader cannot run in an image from scratch.
fn size(binary: &Path) -> Aim {
    let bytes = fs::read(binary).expect("the exporter");
    let loader = b"/ld-linux";
    let is_static = !bytes.windows(loader.len()).any(|window| window == loader);
    let size = bytes.len() as f64 / 1e6;
    let kind = if is_static { "static" } else { "not static" };
    let figure = if is_static { size } else { f64::INFINITY };
    aim(
        "release image",
        "one static binary under 8 MB",
        Limit::AtMost(8.0),
        Some((figure, format!("{size:.1} MB, {kind}"))),
    )
}
