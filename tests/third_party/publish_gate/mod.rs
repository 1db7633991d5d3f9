//! What the publish gate promises on real servers: strangers, crash loops and servers that
//! left delay no event for long, and no increase is lost, also behind a proxy.

mod proxy;
mod setup;

use std::path::PathBuf;
use std::time::Duration;

use test_support::eventually::eventually;
use test_support::exposition::value;
use test_support::pacing;
use test_support::restartable::Signal;
use test_support::tools;

use crate::prometheus_server::Prometheus;
use setup::{HOLD, SHORT_HOLD, STEP, STRANGER, Setup, are_two, increase, is_seen, shown};

fn newest() -> Option<PathBuf> {
    tools::first_of(&["prometheus-3", "prometheus-2.53"])
}

/// Starts the oldest and the newest server, which scrape by an address each.
fn both_servers(setup: &Setup) -> Option<[Prometheus; 2]> {
    let (oldest, newest) = (tools::require("prometheus")?, newest()?);
    Some([
        setup.scraped_by(&oldest, "127.0.0.1"),
        setup.scraped_by(&newest, "[::1]"),
    ])
}

#[test]
fn a_stranger_who_states_hours_delays_no_step_and_a_new_series_by_a_minute() {
    let setup = Setup::start();
    let Some(servers) = both_servers(&setup) else {
        return;
    };
    setup.record("GB");
    for server in &servers {
        server.expect(&increase("GB"), STEP, is_seen);
    }
    setup.ask_as_a_stranger("3600");
    assert!(setup.exported(HOLD) <= SHORT_HOLD);
    setup.record("GB");
    setup.record("FR");
    for server in &servers {
        server.expect(&shown("GB"), STEP, are_two);
    }
    for server in &servers {
        server.expect(&increase("FR"), STRANGER, is_seen);
    }
    assert!(setup.exported(HOLD) <= SHORT_HOLD);
    assert!(setup.exported("nexmo_audit_gate_timeouts_total") < 1.0);
}

#[test]
fn a_crash_loop_that_is_faster_than_the_hold_does_not_silence_the_exporter() {
    /// Shorter than the hold of 3 seconds.
    const LIFE: Duration = Duration::from_secs(2);
    let mut setup = Setup::start();
    let Some(servers) = both_servers(&setup) else {
        return;
    };
    setup.record("GB");
    for server in &servers {
        server.expect(&increase("GB"), STEP, is_seen);
    }
    let mut lives = 0;
    // The event comes while the gate stands still, so that it has to wait.
    setup.exporter.stop(Signal::Kill);
    setup.record("GB");
    let sees_both = |server: &Prometheus| server.value(&shown("GB")).is_ok_and(are_two);
    while !servers.iter().all(sees_both) {
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
    setup.record("FR");
    server.expect(&increase("FR"), STEP, is_seen);
}
