//! `events list --follow`.

use std::time::Duration;

use serde_json::Value;
use test_support::audit_event::{event, with};
use test_support::process::Process;
use test_support::scripted_api::{ScriptedApi, healthy};

use crate::run::prepared;

/// The time of several polls, on a busy machine.
const NEXT: Duration = Duration::from_secs(40);

#[test]
fn events_that_appear_later_are_shown_once() {
    let before = |id: &str, minutes: i64| {
        let then = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
        let time = test_support::audit_event::written(then);
        with(event(id, "APP_CREATE"), "created_at", Value::from(time))
    };
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
