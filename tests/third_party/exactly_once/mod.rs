//! Every event counts exactly once on two real servers, while every program of the run
//! is killed.
//!
//! One server scrapes the exporter itself, the other one through nginx. The exporter is
//! killed at random moments; the API, the exporter, the proxy and both servers go away for
//! seconds, some of them at the same time; requests fail, events enter the list late, and
//! pages shift. In the long form the exporter is killed in crash loops too, and is replaced
//! under another address after SIGTERM, while both servers are there.
//!
//! At the end, for each series and on each server, the last sample minus the first is what
//! the API recorded, added up over all addresses of the exporter. No sample is below the
//! sample before it, `increase()` has shown every step, and no event was shown before it
//! was recorded or waited for longer than the bounds of the gate allow, outages left out.
//! Where a bound has overruled the gate, events may be part of a first sample: no more than
//! the exporter has counted as timeouts since the scrape before.
//!
//! The short form is a test like any other; the long form is `make soak`.

mod commands;
mod comparison;
mod entries;
mod outage_plan;
pub(crate) mod recorded_events;
mod report;
mod run;
pub(crate) mod series;
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
