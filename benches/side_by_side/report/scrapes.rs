//! The tables of scrapes under load.

use super::{duration, heading, in_order, of_connections, push, row, significant};
use crate::{
    peers::{CEILING, CEILING_OPENMETRICS, OURS, OURS_OPENMETRICS},
    results::Results,
    scrape::Encoding,
    scrapes::{Cell, Outcome},
    settings::Settings,
};

pub(super) fn scrapes_table(
    text: &mut String,
    settings: &Settings,
    results: &Results,
    (series, encoding): (usize, Encoding),
) {
    let is_measured = |connections: &&u32| {
        let mut cells = results.cells.iter();
        cells.any(|cell| (cell.series, cell.connections) == (series, **connections))
    };
    let measured: Vec<u32> = settings
        .connections
        .iter()
        .filter(is_measured)
        .copied()
        .collect();
    let mut columns = vec![String::new(), "bytes".to_owned()];
    for connections in &measured {
        columns.push(of_connections(*connections));
        columns.push("p99".to_owned());
        columns.push("of nginx".to_owned());
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let title = format!("Scrapes per second, {series} series, {}", encoding.name());
    heading(text, &title, &columns);
    let has_cells = |name: &&str| {
        let mut cells = results.cells.iter();
        cells.any(|cell| (cell.name, cell.series, cell.encoding) == (*name, series, encoding))
    };
    for name in names(results).into_iter().filter(has_cells) {
        let cell = |connections| results.cell(name, series, encoding, connections);
        let cells = measured.iter().map(|connections| cell(*connections));
        let bytes = cells
            .clone()
            .flatten()
            .next()
            .map(|cell| cell.bytes.to_string());
        let mut cells_of_row = vec![name.to_owned(), bytes.unwrap_or_default()];
        for cell in cells {
            let nginx = cell.and_then(|cell| {
                results.measured(ceiling_of(name), series, encoding, cell.connections)
            });
            cells_of_row.extend(figures(cell, nginx.map(|nginx| nginx.per_second)));
        }
        let cells_of_row: Vec<&str> = cells_of_row.iter().map(String::as_str).collect();
        row(text, &cells_of_row);
    }
}

/// Returns the rate, the 99th percentile, and the share of the ceiling's rate.
fn figures(cell: Option<&Cell>, ceiling: Option<f64>) -> [String; 3] {
    let none = || "—".to_owned();
    let measured = match cell.map(|cell| &cell.outcome) {
        None => return [none(), none(), none()],
        Some(Outcome::Left(why)) => return [format!("— ({why})"), none(), none()],
        Some(Outcome::Measured(measured)) => measured,
    };
    let rate = measured.per_second;
    let mut shown = if rate < 100.0 {
        format!("{rate:.1}")
    } else {
        format!("{rate:.0}")
    };
    if measured.errors > 0 {
        push(&mut shown, format_args!(" ({} errors)", measured.errors));
    }
    let part = ceiling.map_or_else(none, |ceiling| significant(rate / ceiling));
    [shown, duration(measured.p99), part]
}

pub(super) fn cost_table(text: &mut String, settings: &Settings, results: &Results) {
    let all = in_order(results.cells.iter().map(|cell| cell.series));
    if all.is_empty() {
        return;
    }
    let least = settings.connections.iter().min().copied().unwrap_or(1);
    let mut columns = vec![String::new()];
    for encoding in Encoding::ALL {
        columns.extend(
            all.iter()
                .map(|series| format!("{series}, {}", encoding.name())),
        );
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let title = format!(
        "Processor seconds for 1,000 scrapes, {}",
        of_connections(least)
    );
    heading(text, &title, &columns);
    for name in names(results) {
        let mut cells = vec![name.to_owned()];
        for encoding in Encoding::ALL {
            for series in &all {
                let measured = results.measured(name, *series, encoding, least);
                let seconds = measured.map(|measured| measured.processor_seconds);
                let seconds = seconds.filter(|seconds| seconds.is_finite());
                cells.push(seconds.map_or("—".to_owned(), significant));
            }
        }
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        row(text, &cells);
    }
    heading(
        text,
        "Growth of a scrape",
        &["", "series", "bytes", "µs of processor time", "ns per byte"],
    );
    for name in [OURS, CEILING] {
        for cost in results.growth_of(name) {
            row(
                text,
                &[
                    name,
                    &cost.series.to_string(),
                    &cost.bytes.to_string(),
                    &format!("{:.0}", cost.microseconds),
                    &format!("{:.2}", cost.microseconds * 1e3 / cost.bytes as f64),
                ],
            );
        }
    }
}

fn names(results: &Results) -> Vec<&'static str> {
    let mut names = Vec::new();
    for cell in &results.cells {
        if !names.contains(&cell.name) {
            names.push(cell.name);
        }
    }
    names.sort_by_key(|name| (!name.starts_with(OURS), !name.starts_with("nginx")));
    names
}

/// The peer that serves the same bytes from a file.
fn ceiling_of(name: &str) -> &'static str {
    if [OURS_OPENMETRICS, CEILING_OPENMETRICS].contains(&name) {
        CEILING_OPENMETRICS
    } else {
        CEILING
    }
}
