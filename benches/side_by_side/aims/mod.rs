//! The aims of the exporter, and whether it reaches them.

mod many_accounts;

use std::{fs, path::Path};

use super::{
    footprint::Footprint,
    instructions,
    peers::{CEILING, CEILING_OPENMETRICS, OURS, OURS_OPENMETRICS, is_exporter_beside},
    results::Results,
    scrape::Encoding,
};

/// The numbers of series and connections for which aims are judged.
const SERIES: usize = 10_000;
const CONNECTIONS: u32 = 8;
const MANY_CONNECTIONS: u32 = 64;

/// A line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Aim {
    pub(crate) measure: String,
    /// The figure of the report before these aims were set.
    pub(crate) was: String,
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
    let mut aims = vec![quiet_openmetrics(results)];
    aims.extend(many_accounts::judge(results.accounts.as_ref()));
    aims.push(backlog(results));
    aims.push(every_cell(results));
    aims.push(beside_loop(results));
    aims.push(memory(results));
    aims.extend(start(results));
    aims.extend(polls(results));
    aims.push(instructions(results));
    for encoding in Encoding::ALL {
        aims.push(of_ceiling(results, encoding));
        aims.push(of_best_beside(results, encoding));
    }
    aims.push(growth(results));
    aims.push(counting(results));
    aims.push(size(binary));
    aims
}

fn aim(
    measure: &str,
    was: &str,
    (wanted, limit): (&str, Limit),
    measured: Option<(f64, String)>,
) -> Aim {
    Aim {
        measure: measure.to_owned(),
        was: was.to_owned(),
        wanted: wanted.to_owned(),
        met: measured.as_ref().map(|(figure, _)| limit.holds(*figure)),
        measured: measured.map_or("not measured".to_owned(), |(_, text)| text),
    }
}

/// Compares the formats, with gzip, of series without an event for longer than exemplars
/// are shown.
fn quiet_openmetrics(results: &Results) -> Aim {
    let bytes = |name| {
        let mut cells = results.cells.iter();
        let cell = cells.find(|cell| {
            cell.name == name && (cell.series, cell.encoding) == (SERIES, Encoding::Gzip)
        });
        cell.map(|cell| cell.bytes)
    };
    let measured = bytes(OURS_OPENMETRICS)
        .zip(bytes(OURS))
        .map(|(openmetrics, text)| {
            let ratio = openmetrics as f64 / text as f64;
            (ratio, format!("{ratio:.2} ({openmetrics} of {text} B)"))
        });
    aim(
        "bytes of OpenMetrics with gzip, 10,000 series without recent events",
        "8.65 (331390 of 38317 B)",
        (
            "at most 1.1 of the text format with gzip",
            Limit::AtMost(1.1),
        ),
        measured,
    )
}

/// Looks for the worst cell of `OpenMetrics` with gzip and many connections.
fn every_cell(results: &Results) -> Aim {
    let cells = results.cells.iter().filter(|cell| {
        cell.name == OURS_OPENMETRICS
            && (cell.encoding, cell.connections) == (Encoding::Gzip, MANY_CONNECTIONS)
    });
    let ratios = cells.filter_map(|cell| {
        let ours = cell.measured()?;
        let nginx = results.measured(
            CEILING_OPENMETRICS,
            cell.series,
            cell.encoding,
            cell.connections,
        )?;
        Some((ours.per_second / nginx.per_second, cell.series))
    });
    let worst = ratios.min_by(|a, b| a.0.total_cmp(&b.0));
    aim(
        "scrapes per second, OpenMetrics with gzip, 64 connections, worst number of series",
        "0.85 of nginx (10000 series)",
        (
            "at least 0.95 of nginx with the same bytes",
            Limit::AtLeast(0.95),
        ),
        worst.map(|(ratio, series)| (ratio, format!("{ratio:.2} of nginx ({series} series)"))),
    )
}

fn beside_loop(results: &Results) -> Aim {
    let measured = results.beside_loop.map(|beside| {
        let ratio = beside.ratio();
        let text = format!(
            "{ratio:.2} (loop {:.2?}, exporter {:.2?}, {} events)",
            beside.bare, beside.took, beside.events
        );
        (ratio, text)
    });
    aim(
        "rate of a catch-up from an API that answers at once",
        "0.57 to 0.67",
        (
            "0.8 of a loop that throws the pages away",
            Limit::AtLeast(0.8),
        ),
        measured,
    )
}

fn instructions(results: &Results) -> Aim {
    let mut counts = results.instructions.iter();
    let count = counts.find(|count| count.of == instructions::PARSE_TO_COMMIT);
    aim(
        "instructions of an event, parse to commit",
        "18598",
        ("9299, which is half", Limit::AtMost(9299.0)),
        count.map(|count| (count.number, format!("{:.0}", count.number))),
    )
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
        match encoding {
            Encoding::Identity => "1.44 of nginx",
            Encoding::Gzip => "1.10 of nginx",
        },
        (
            "at least 0.9 of nginx with the same bytes",
            Limit::AtLeast(0.9),
        ),
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
        match encoding {
            Encoding::Identity => "36 times",
            Encoding::Gzip => "411 times",
        },
        ("40 times the best exporter beside", Limit::AtLeast(40.0)),
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
        "p99 of a scrape beside a backlog of 100,000, one connection",
        "4.0 times",
        ("within 2.0 times of idle", Limit::AtMost(2.0)),
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
        "50.0 times the cost for 404.0 times the bytes",
        ("grows as the bytes do, no faster", Limit::AtMost(1.0)),
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
        "0.49",
        ("0.4 of the leanest exporter beside", Limit::AtMost(0.4)),
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
            "40.5 ms",
            ("under 50 ms", Limit::AtMost(50.0)),
            ours.map(|ours| (ours, format!("{ours:.1} ms"))),
        ),
        aim(
            "the same, beside exporters",
            "1.00",
            ("0.5 of the leanest exporter beside", Limit::AtMost(0.5)),
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
        "639520 by the clock",
        ("300,000", Limit::AtLeast(300_000.0)),
        measured,
    )
}

fn polls(results: &Results) -> Vec<Aim> {
    let polls = results.polls.iter().map(|polling| {
        let (limit, was) = if polling.rate < 1.0 {
            (1.0, "1.0")
        } else {
            (6.0, "about 90")
        };
        let text = format!(
            "{:.1}, at most {} ({} to read the lookback again)",
            polling.requests, polling.most, polling.pages
        );
        aim(
            &format!(
                "list requests of a poll, {} events per second",
                polling.rate
            ),
            was,
            (&limit.to_string(), Limit::AtMost(limit)),
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
        "7.9 MB, static",
        ("one static binary under 8 MB", Limit::AtMost(8.0)),
        Some((figure, format!("{size:.1} MB, {kind}"))),
    )
}
