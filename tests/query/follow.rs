//! `events list --follow`.

use std::time::Duration;

use serde_json::Value;
use test_support::audit_event::{event, with};
use test_support::process::Process;
use test_support::scripted_api::{ScriptedApi, healthy};

use crate::run::prepared;

/// The time of several polls, on a busy machine.
const NEXT: Duration = Duration::from_secs(40);

fn before(id: &str, minutes: i64) -> Value {
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    let time = test_support::audit_event::written(then);
    with(event(id, "APP_CREATE"), "created_at", Value::from(time))
}

/// The events that `--tail` leaves out are not new to a later look.
#[test]
fn of_the_past_a_tail_is_shown() {
    let past: Vec<_> = ["g", "f", "e", "d", "c", "b", "a"]
        .into_iter()
        .zip(1..)
        .map(|(id, minutes)| before(id, minutes))
        .collect();
    let api = ScriptedApi::start(healthy(past.clone()));
    let arguments = ["events", "list", "--follow", "--output=csv", "--tail=2"];
    let process = Process::start("list", &mut prepared(&api.base_url(), &arguments));
    let shown = |id: &str| {
        let found = |line: &str| line.contains(&format!(",{id},")).then_some(());
        process.wait_for_line(id, NEXT, found);
    };
    shown("g");
    api.follow(healthy([&past[..], &[before("late", 5)]].concat()));
    shown("late");
    let lines = process.lines();
    let ids: Vec<_> = lines[1..]
        .iter()
        .filter_map(|line| line.split(',').nth(7))
        .collect();
    assert_eq!(ids, ["f", "g", "late"], "{}", process.log());
}

#[test]
fn events_that_appear_later_are_shown_once() {
    let first = vec![before("first", 60)];
    let api = ScriptedApi::start(healthy(first.clone()));
    let arguments = ["events", "list", "--follow", "--output=csv", "--limit=3"];
    let mut process = Process::start("list", &mut prepared(&api.base_url(), &arguments));
    let shown = |id: &str| {
        let found = |line: &str| line.contains(&format!(",{id},")).then_some(());
        process.wait_for_line(id, NEXT, found);
    };
    shown("first");
    // One event is new, one is late, and both are shown again and again.
    let late = [
        first,
        vec![before("late", 10), event("second", "APP_CREATE")],
    ]
    .concat();
    api.follow(healthy(late));
    shown("second");
    shown("late");
    // The limit is reached, so the command has ended or is about to.
    assert!(process.wait_for_end(NEXT).success());
    assert_eq!(process.lines().len(), 1 + 3, "{}", process.log());
}
