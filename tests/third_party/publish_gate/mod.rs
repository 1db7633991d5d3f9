//! What the publish gate promises on real servers: strangers, crash loops and servers that
//! left delay no event for long, and no increase is lost, also behind a proxy.

mod proxy;
mod setup;

use std::path::{Path, PathBuf};
use std::time::Duration;

use test_support::eventually::eventually;
use test_support::exposition::value;
use test_support::pacing;
use test_support::restartable::Signal;
use test_support::tools;

use setup::{HOLD, KNOWN, SHORT_HOLD, STEP, STRANGER, Setup, are_two, increase, is_seen, shown};

fn newest() -> Option<PathBuf> {
    tools::first_of(&["prometheus-3", "prometheus-2.53"])
}

fn a_stranger_delays_nothing_on(program: &Path) {
    let setup = Setup::start();
    let server = setup.scraped_by(program, "127.0.0.1");
    setup.record("GB");
    server.expect(&increase("GB"), STEP, is_seen);
    setup.ask_as_a_stranger("3600");
    assert!(setup.exported(HOLD) <= SHORT_HOLD);
    setup.record("GB");
    setup.record("FR");
    server.expect(&shown("GB"), STEP, are_two);
    server.expect(&increase("FR"), STRANGER, is_seen);
    assert!(setup.exported(HOLD) <= SHORT_HOLD);
    assert!(setup.exported("nexmo_audit_gate_timeouts_total") < 1.0);
}

#[test]
fn a_stranger_who_states_hours_delays_no_step_and_a_new_series_by_a_minute() {
    if let Some(program) = tools::require("prometheus") {
        a_stranger_delays_nothing_on(&program);
    }
}

#[test]
fn a_stranger_delays_nothing_on_the_newest_server_either() {
    if let Some(program) = newest() {
        a_stranger_delays_nothing_on(&program);
    }
}

fn a_crash_loop_is_not_silent_on(program: &Path) {
    /// Shorter than the hold of 3 seconds.
    const LIFE: Duration = Duration::from_secs(2);
    let mut setup = Setup::start();
    let server = setup.scraped_by(program, "127.0.0.1");
    setup.record("GB");
    server.expect(&increase("GB"), STEP, is_seen);
    let mut lives = 0;
    // The event comes while the gate stands still, so that it has to wait.
    setup.exporter.stop(Signal::Kill);
    setup.record("GB");
    while !server.value(&shown("GB")).is_ok_and(are_two) {
        lives += 1;
        assert!(lives <= 10, "nothing is shown in {lives} lives of {LIFE:?}");
        setup.exporter.start();
        pacing::wait(LIFE);
        setup.exporter.stop(Signal::Kill);
    }
    // The count of what the gate let through goes on over restarts.
    setup.exporter.start();
    let timeouts = eventually("metrics", STEP, || {
        let metrics = setup.metrics()?;
        let found = value(&metrics, "nexmo_audit_gate_timeouts_total", &[]);
        found.ok_or(metrics)
    });
    assert!(timeouts >= 1.0, "{timeouts}");
}

#[test]
fn a_crash_loop_that_is_faster_than_the_hold_does_not_silence_the_exporter() {
    if let Some(program) = tools::require("prometheus") {
        a_crash_loop_is_not_silent_on(&program);
    }
}

#[test]
fn a_crash_loop_is_not_silent_on_the_newest_server_either() {
    if let Some(program) = newest() {
        a_crash_loop_is_not_silent_on(&program);
    }
}

#[test]
fn a_server_that_takes_the_place_of_another_one_delays_no_new_series() {
    let (Some(old), Some(new)) = (tools::require("prometheus"), newest()) else {
        return;
    };
    let setup = Setup::start();
    let server = setup.scraped_by(&old, "127.0.0.1");
    setup.record("GB");
    server.expect(&increase("GB"), STEP, is_seen);
    drop(server);
    // The same product, from another address.
    let server = setup.scraped_by(&new, "[::1]");
    server.expect("count_over_time(up[5m])", KNOWN, |scrapes| scrapes > 6.0);
    setup.record("FR");
    server.expect(&increase("FR"), STEP, is_seen);
}
