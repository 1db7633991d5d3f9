//! Failures of the API, and the messages about them.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use test_support::audit_event::{event, events};
use test_support::command_output::CommandOutput;
use test_support::program::API_SECRET;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, listing};

use crate::run::{prepared, run};

#[test]
fn a_transient_failure_is_retried_silently() {
    let asked = AtomicUsize::new(0);
    let api = ScriptedApi::start(listing(move |_| {
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::error(503, "Later."),
            1 => Answer::reset(),
            2 => Answer::error(429, "Slowly.").header("Retry-After", "1"),
            3 => Answer::list(&events(2, "APP_CREATE")).cut(),
            _ => Answer::list(&events(2, "APP_CREATE")),
        }
    }));
    let done = run(&api.base_url(), &["events", "list", "-ojson"]);
    assert_eq!(done.events().len(), 2);
}

#[test]
fn a_permanent_failure_is_reported() {
    let cases = [
        (
            Answer::error(401, API_SECRET),
            "check the API key (NEXMO_API_KEY)",
        ),
        (Answer::error(400, "event_type: no."), "event_type: no."),
        (Answer::new(200, "<html>"), "is not JSON"),
    ];
    for (answer, says) in cases {
        let api = ScriptedApi::start(move |_| answer.clone());
        for arguments in [
            &["events", "list"][..],
            &["events", "get", "a"],
            &["events", "types"],
        ] {
            let done = run(&api.base_url(), arguments);
            assert_eq!((done.status, &*done.out), (1, ""), "{arguments:?}");
            let is_other_answer = arguments[1] != "list" && says.contains("JSON");
            assert!(
                is_other_answer || done.errors.contains(says),
                "{}",
                done.errors
            );
        }
        assert_eq!(api.requests().len(), 3, "asked again in vain");
    }
}

#[test]
fn a_failed_list_says_where_to_continue() {
    let old = |place: usize| {
        let mut old = event(&place.to_string(), "APP_CREATE");
        old["created_at"] = json!("2026-11-01T00:00:30");
        old
    };
    // Of a day with too many events, the first piece can be read and the second cannot.
    let api = ScriptedApi::start(listing(move |request| {
        let from = request.parameter("date_from").expect("a time");
        let to = request.parameter("date_to").expect("a time");
        if from.as_str() > "2026-11-01" {
            return Answer::error(400, "No.");
        }
        if to.as_str() > "2026-11-02" {
            return Answer::page(&[old(0)], json!(100_000), json!(1000));
        }
        Answer::list(&[old(1), old(2)])
    }));
    let arguments = [
        "events",
        "list",
        "--from=2026-11-01",
        "--to=2026-11-01",
        "-ojson",
    ];
    let done = run(&api.base_url(), &arguments);
    assert_eq!((done.status, done.out.lines().count()), (1, 3), "{done:?}");
    let says = "every event before 2026-11-01T03:36:00Z was shown; continue with --from=2026-11-01T03:36:00Z";
    assert!(done.errors.contains(says), "{}", done.errors);
}

#[test]
fn all_problems_of_the_settings_are_reported_at_once() {
    let arguments = [
        "events",
        "list",
        "--from=soon",
        "--to=2026-13-01",
        "--limit=0",
        "--output=xml",
        "--type=,",
        "--api.timeout=0",
        "--log.level=loud",
    ];
    let mut command = prepared("ftp://api", &arguments);
    let done = CommandOutput::of(command.env_remove("NEXMO_API_KEY"));
    assert_eq!((done.status, &*done.out), (2, ""));
    for setting in [
        "--from",
        "--to",
        "--limit",
        "--output",
        "--type",
        "--api.timeout",
        "--log.level",
        "--api.base-url",
        "NEXMO_API_KEY",
    ] {
        assert!(
            done.errors.contains(&format!("\n  {setting} ")),
            "{setting}: {}",
            done.errors
        );
    }
    for contrary in [
        &["events", "list", "--from=1h", "--to=2h"][..],
        &["events", "list", "--follow", "--to=1h"],
        &["events", "list", "--utc", "--local"],
        &["events", "get"],
        &["events"],
    ] {
        let mut command = prepared("http://127.0.0.1:1", contrary);
        assert_eq!(CommandOutput::of(&mut command).status, 2, "{contrary:?}");
    }
}
