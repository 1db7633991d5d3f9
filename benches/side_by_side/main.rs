//! The exporter beside other programs that serve the same series, measured in one run.
//!
//! Every peer is a real server on loopback that is scraped as Prometheus scrapes, after
//! a check that it serves the same series. The load comes from `wrk`. The machine may
//! be shared, so what counts is the ratio of two figures of one run. `settings.rs`
//! lists the variables of a shorter run; only a complete run writes
//! `benches/RESULTS.md`. Ratios are for people. Counts of instructions are judged.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod accounts;
mod aims;
mod backlog;
mod bare_loop;
mod catch_up;
mod counting;
mod footprint;
mod hour;
mod instructions;
mod load;
mod machine;
mod ours;
mod peers;
mod polling;
mod report;
mod results;
mod running;
mod scrape;
mod scrapes;
mod settings;
mod simulator;
mod tools;

use std::{fs, io::Write, process::ExitCode, thread, time::Duration};

use test_support::repository;

use peers::Peers;
use polling::Polling;
use results::Results;
use settings::Settings;
use simulator::Simulator;

/// The number of series for which start, memory and backlog are measured.
const SERIES: usize = 10_000;

fn main() -> ExitCode {
    if instructions::is_counted() || bare_loop::is_run() {
        return ExitCode::SUCCESS;
    }
    let settings = Settings::from_environment();
    let results = thread::scope(|scope| {
        // Polls that come every half minute disturb nothing, and take six minutes.
        let polls = scope.spawn(|| polls(&settings));
        let mut results = measure(&settings);
        results.polls = polls.join().expect("polls");
        results
    });
    let aims = aims::judge(&results, &settings.binary);
    let text = report::markdown(&settings, &results, &aims);
    let kept = if settings.is_whole {
        "benches/RESULTS.md"
    } else {
        "target/bench/RESULTS.md"
    };
    let kept = repository(kept);
    fs::write(&kept, &text).expect("the results are written");
    let mut output = std::io::stdout().lock();
    let written = writeln!(output, "{text}\nKept in {}", kept.display());
    written.expect("standard output can be written");
    instructions::judge(&results.instructions)
}

fn polls(settings: &Settings) -> Vec<Polling> {
    if settings.measures("polls") {
        polling::measure(settings)
    } else {
        Vec::new()
    }
}

fn measure(settings: &Settings) -> Results {
    let mut results = Results::default();
    if settings.measures("counting") {
        results.counting = Some(counting::measure(settings));
    }
    if settings.measures("scrapes") {
        scrapes(settings, &mut results);
    }
    if settings.measures("catch-up") {
        results.catch_ups = catch_up::measure(settings);
    }
    if settings.measures("beside-loop") {
        results.beside_loop = Some(catch_up::beside_loop(settings));
    }
    if settings.measures("backlog") {
        results.backlogs = backlog::measure(settings, SERIES);
    }
    if settings.measures("accounts") {
        results.accounts = Some(accounts::measure(settings));
    }
    if settings.measures("hour") {
        results.hour = hour::measure(settings);
    }
    if settings.measures("instructions") {
        results.instructions = instructions::measure(settings);
    }
    results
}

fn scrapes(settings: &Settings, results: &mut Results) {
    let place = running::folder();
    // The API has no events, so the exporter is idle.
    let api = Simulator::start(settings, place.path(), 0, Duration::ZERO);
    for series in &settings.series {
        report::progress(&format!("{series} series"));
        let mut peers = Peers::start(settings, &api, *series);
        let is_reference = *series == SERIES;
        if is_reference {
            results.footprints = footprint::measure(&mut peers);
        }
        results.cells.extend(scrapes::measure(settings, &peers));
        if is_reference {
            footprint::look_again(&peers, &mut results.footprints);
        }
    }
}
