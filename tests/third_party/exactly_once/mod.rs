//! Every event counts exactly once on two real servers, while every program of the run
//! is killed.
//!
//! The exporter is killed at random moments; the API, the exporter and both servers go
//! away for seconds, some of them at the same time; requests fail, events enter the
//! list late, and pages shift. At the end, for each series and on each server, the last
//! sample minus the first is what the API recorded, no sample is below the sample
//! before it, and `increase()` has shown every step.
//!
//! The short form is a test like any other; the long form is `make soak`.

mod commands;
mod comparison;
mod entries;
mod outage_plan;
mod recorded_events;
mod report;
mod run;
mod series;
mod server;
mod settings;
mod timeline;
mod waits;

use std::time::Duration;

use test_support::tools;

use run::{Programs, Run};
use settings::Settings;

/// The scrape intervals of the servers.
const INTERVALS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// The oldest and the newest server, and the proxy before the newest.
fn programs() -> Option<Programs> {
    let newest = || tools::first_of(&["prometheus-3", "prometheus-2.53"]);
    let [often, seldom] = INTERVALS;
    Some(Programs {
        servers: [(tools::require("prometheus")?, often), (newest()?, seldom)],
        nginx: tools::require("nginx")?,
    })
}

fn counts_every_event_once(settings: Settings) {
    let Some(programs) = programs() else {
        return;
    };
    let mut run = Run::begin(settings, programs);
    run.disturb();
    let truth = run.settle();
    let report = report::of(&run, &truth);
    report::print(&report.text);
    if report.differences > 0 {
        let folder = run.keep();
        panic!(
            "{} differences; everything is in {}",
            report.differences,
            folder.display()
        );
    }
}

#[test]
fn every_event_counts_once_on_two_servers() {
    counts_every_event_once(Settings::short());
}

#[test]
#[ignore = "takes half an hour: make soak"]
fn soak() {
    counts_every_event_once(Settings::soak());
}
