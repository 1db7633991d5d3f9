//! The results as tables in Markdown.

use std::{collections::BTreeSet, fmt::Write as _, io::Write as _, time::Duration};

use super::{
    aims::Aim,
    catch_up::LATENCIES,
    footprint::Footprint,
    machine,
    peers::{CEILING, CEILING_OPENMETRICS, OURS, OURS_OPENMETRICS, versions},
    results::Results,
    scrape::Encoding,
    scrapes::{Cell, Outcome},
    settings::Settings,
};

/// Reports progress.
pub(crate) fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Returns the median.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let (low, high) = (figures.len().saturating_sub(1) / 2, figures.len() / 2);
    figures
        .get(low)
        .zip(figures.get(high))
        .map_or(f64::NAN, |(a, b)| (a + b) / 2.0)
}

/// Describes a cell in one line.
pub(crate) fn cell(cell: &Cell) -> String {
    let Cell {
        name,
        series,
        encoding,
        connections,
        bytes,
        outcome,
    } = cell;
    let encoding = encoding.name();
    format!(
        "{series} series, {encoding}, {connections} connections, {name} ({bytes} B): {outcome:?}"
    )
}

/// Returns the whole report.
pub(crate) fn markdown(settings: &Settings, results: &Results, aims: &[Aim]) -> String {
    let mut text = String::from(
        "# Side by side\n\n`make bench` writes this file. Load comes from `wrk` on the same machine, so\nwhat counts is the ratio of two rows.\n",
    );
    let mut lines = machine::lines();
    lines.extend(versions());
    text.push('\n');
    for line in lines {
        push(&mut text, format_args!("- {line}\n"));
    }
    aims_table(&mut text, aims);
    for series in in_order(results.cells.iter().map(|cell| cell.series)) {
        for encoding in Encoding::ALL {
            scrapes_table(&mut text, settings, results, (series, encoding));
        }
    }
    cost_table(&mut text, settings, results);
    footprint_table(&mut text, results);
    catch_up_table(&mut text, settings, results);
    backlog_table(&mut text, settings, results);
    polls_table(&mut text, results);
    instructions_table(&mut text, results);
    text
}

fn aims_table(text: &mut String, aims: &[Aim]) {
    heading(text, "Aims", &["measure", "aim", "measured", ""]);
    for aim in aims {
        let met = match aim.met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        row(text, &[&aim.measure, &aim.wanted, &aim.measured, met]);
    }
}

fn scrapes_table(
    text: &mut String,
    settings: &Settings,
    results: &Results,
    (series, encoding): (usize, Encoding),
) {
    let mut columns = vec![String::new(), "bytes".to_owned()];
    for connections in &settings.connections {
        columns.push(of_connections(*connections));
        columns.push("p99".to_owned());
        columns.push("of nginx".to_owned());
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let title = format!("Scrapes per second, {series} series, {}", encoding.name());
    heading(text, &title, &columns);
    for name in names(results) {
        let cell = |connections| results.cell(name, series, encoding, connections);
        let cells = settings
            .connections
            .iter()
            .map(|connections| cell(*connections));
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

fn cost_table(text: &mut String, settings: &Settings, results: &Results) {
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

fn footprint_table(text: &mut String, results: &Results) {
    if results.footprints.is_empty() {
        return;
    }
    let columns = [
        "",
        "start to first scrape",
        "processor time",
        "latency of one scrape",
        "processor time",
    ];
    heading(
        text,
        "Start, and scrapes that come by themselves, 10000 series",
        &columns,
    );
    for footprint in &results.footprints {
        let start_cost = Duration::from_secs_f64(footprint.start_processor_seconds);
        let cost = Duration::from_secs_f64(footprint.processor_seconds);
        let figures = [footprint.start, start_cost, footprint.latency, cost];
        let [start, start_cost, latency, cost] = figures.map(duration);
        row(
            text,
            &[footprint.name, &start, &start_cost, &latency, &cost],
        );
    }
    let columns = ["", "resident", "peak", "resident after load", "peak"];
    heading(text, "Memory, 10000 series", &columns);
    for footprint in &results.footprints {
        let Footprint {
            name,
            memory,
            after_load,
            ..
        } = footprint;
        let figures = [
            memory.resident,
            memory.peak,
            after_load.resident,
            after_load.peak,
        ];
        let [resident, peak, later, most] = figures.map(megabytes);
        row(text, &[name, &resident, &peak, &later, &most]);
    }
}

fn catch_up_table(text: &mut String, settings: &Settings, results: &Results) {
    for latency in LATENCIES {
        let runs: Vec<_> = results
            .catch_ups
            .iter()
            .filter(|run| run.latency == latency)
            .collect();
        if runs.is_empty() {
            continue;
        }
        let title = format!(
            "Catch-up of {} events, answers after {} ms",
            settings.events,
            latency.as_millis()
        );
        heading(
            text,
            &title,
            &[
                "",
                "took",
                "events per second",
                "processor time",
                "of the simulator",
                "peak memory",
            ],
        );
        for run in runs {
            let rate = settings.events as f64 / run.took.as_secs_f64();
            row(
                text,
                &[
                    run.name,
                    &duration(run.took),
                    &format!("{rate:.0}"),
                    &format!("{:.2} s", run.processor_seconds),
                    &format!("{:.2} s", run.api_processor_seconds),
                    &megabytes(run.peak_memory),
                ],
            );
        }
    }
}

fn backlog_table(text: &mut String, settings: &Settings, results: &Results) {
    if results.backlogs.is_empty() {
        return;
    }
    let title = format!(
        "p99 of a scrape while {} events are counted",
        settings.events
    );
    heading(text, &title, &["connections", "counting", "idle", "ratio"]);
    for backlog in &results.backlogs {
        let ratio = backlog.counting.as_secs_f64() / backlog.idle.as_secs_f64();
        row(
            text,
            &[
                &backlog.connections.to_string(),
                &duration(backlog.counting),
                &duration(backlog.idle),
                &significant(ratio),
            ],
        );
    }
}

fn polls_table(text: &mut String, results: &Results) {
    if results.polls.is_empty() {
        return;
    }
    heading(
        text,
        "List requests of a poll, every 30 s with a lookback of 15 min",
        &[
            "events per second",
            "mean",
            "most",
            "pages of the lookback",
            "ratio",
        ],
    );
    for polling in &results.polls {
        row(
            text,
            &[
                &polling.rate.to_string(),
                &format!("{:.1}", polling.requests),
                &polling.most.to_string(),
                &polling.pages.to_string(),
                &significant(polling.requests / polling.pages),
            ],
        );
    }
}

fn instructions_table(text: &mut String, results: &Results) {
    if results.instructions.is_empty() {
        return;
    }
    heading(
        text,
        "Instructions, without those of the system",
        &["of", "instructions"],
    );
    for instructions in &results.instructions {
        row(
            text,
            &[&instructions.of, &format!("{:.0}", instructions.number)],
        );
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

fn of_connections(number: u32) -> String {
    match number {
        1 => "1 connection".to_owned(),
        _ => format!("{number} connections"),
    }
}

fn in_order(series: impl Iterator<Item = usize>) -> BTreeSet<usize> {
    series.collect()
}

fn heading(text: &mut String, title: &str, columns: &[&str]) {
    push(text, format_args!("\n## {title}\n\n"));
    row(text, columns);
    let lines: Vec<&str> = columns.iter().map(|_| "---").collect();
    row(text, &lines);
}

fn row(text: &mut String, cells: &[&str]) {
    push(text, format_args!("| {} |\n", cells.join(" | ")));
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.write_fmt(arguments);
}

/// Writes a number with at least two significant digits.
fn significant(figure: f64) -> String {
    match figure.abs() {
        small if small < 0.095 => format!("{figure:.3}"),
        small if small < 9.5 => format!("{figure:.2}"),
        small if small < 95.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1e3;
    if milliseconds < 1000.0 {
        format!("{} ms", significant(milliseconds))
    } else {
        format!("{} s", significant(milliseconds / 1e3))
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", significant(bytes as f64 / 1e6))
}
