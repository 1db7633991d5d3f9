//! Every event of many accounts counts exactly once on two real servers, and is a line of
//! the event log, while much goes wrong at once.
//!
//! Requests to the API fail, the configuration is reloaded every ten seconds with and
//! without one more account, the event log is rotated, the disk of the state is full for a
//! while, strangers send slow, broken and costly requests, and the exporter is killed.
//!
//! At the end, for each account and series and on each server, the last sample minus the
//! first is what the API recorded, and no counter fell. The event log has each event of
//! each account. In the long form, memory and open descriptors no longer rise in the second
//! half.
//!
//! The short form is a test like any other; the long form is `make soak-accounts`.

mod disturbances;
mod log_lines;
mod resources;
mod run;
mod settings;
mod strangers;

use std::io::Write as _;

use run::Run;
use settings::Settings;
use test_support::tools;

fn counts_every_event_of_every_account(settings: Settings) {
    let newest = || tools::first_of(&["prometheus-3", "prometheus-2.53"]);
    let Some(servers) = tools::require("prometheus").and_then(|old| Some([old, newest()?])) else {
        return;
    };
    let mut run = Run::begin(settings, &servers);
    run.disturb();
    run.settle();
    let (report, differences) = run.compare();
    writeln!(std::io::stdout(), "{report}").expect("standard output can be written");
    assert_eq!(differences, Vec::<String>::new());
}

#[test]
fn every_event_of_every_account_counts_once_while_much_goes_wrong() {
    counts_every_event_of_every_account(Settings::short());
}

#[test]
#[ignore = "takes an hour: make soak-accounts"]
fn soak() {
    counts_every_event_of_every_account(Settings::long());
}
