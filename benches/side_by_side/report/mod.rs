//! The results as tables in Markdown.

mod accounts;
mod scrapes;

use std::{collections::BTreeSet, fmt::Write as _, io::Write as _, time::Duration};

use super::{
    aims::Aim,
    catch_up::{BesideLoop, LATENCIES},
    footprint::Footprint,
    machine,
    peers::{OURS, versions},
    results::Results,
    scrape::Encoding,
    scrapes::Cell,
    settings::Settings,
    tools,
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
    let mut text = format!(
        "# Side by side\n\n{}. Load comes from `wrk` on the same machine, so\nwhat counts is the ratio of two rows.\n",
        if settings.is_whole {
            "`make bench-whole` writes this file"
        } else {
            "A part of what `make bench-whole` measures"
        }
    );
    let mut lines = vec![tools::version(&settings.binary, "--version")];
    lines.extend(machine::lines());
    lines.extend(versions(settings));
    text.push('\n');
    for line in lines {
        push(&mut text, format_args!("- {line}\n"));
    }
    aims_table(&mut text, aims);
    if let Some(accounts) = &results.accounts {
        accounts::tables(&mut text, accounts);
    }
    accounts::hour_table(&mut text, &results.hour);
    for series in in_order(results.cells.iter().map(|cell| cell.series)) {
        for encoding in Encoding::ALL {
            scrapes::scrapes_table(&mut text, settings, results, (series, encoding));
        }
    }
    scrapes::cost_table(&mut text, settings, results);
    footprint_table(&mut text, results);
    catch_up_table(&mut text, settings, results);
    if let Some(beside) = results.beside_loop {
        beside_loop_table(&mut text, beside);
    }
    backlog_table(&mut text, settings, results);
    polls_table(&mut text, results);
    instructions_table(&mut text, results);
    text
}

fn aims_table(text: &mut String, aims: &[Aim]) {
    let columns = ["measure", "was", "aim", "measured", ""];
    heading(text, "Aims that were measured", &columns);
    for aim in aims.iter().filter(|aim| aim.met.is_some()) {
        let met = match aim.met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        let Aim {
            measure,
            was,
            wanted,
            measured,
            ..
        } = aim;
        row(text, &[measure, was, wanted, measured, met]);
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

fn beside_loop_table(text: &mut String, beside: BesideLoop) {
    let title = format!(
        "Catch-up of {} events beside a loop that throws the pages away",
        beside.events
    );
    heading(
        text,
        &title,
        &["", "took", "events per second", "of the loop"],
    );
    for (name, took) in [(OURS, beside.took), ("a bare loop", beside.bare)] {
        let seconds = took.as_secs_f64();
        row(
            text,
            &[
                name,
                &duration(took),
                &format!("{:.0}", beside.events as f64 / seconds),
                &significant(beside.bare.as_secs_f64() / seconds),
            ],
        );
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
    text.push_str("\nThe simulated API runs only while no other program wants its processor, since the API is another machine.\n");
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
