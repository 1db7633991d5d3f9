//! Failures of the API, and the messages about them.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::audit_event::{event, events};
use test_support::command_output::CommandOutput;
use test_support::process::Process;
use test_support::program::API_SECRET;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, listing};

use crate::run::{prepared, run};

/// The time until a message, on a busy machine.
const MESSAGE: Duration = Duration::from_secs(20);

#[test]
fn a_transient_failure_is_told_once_and_retried() {
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
    assert_eq!((done.status, done.out.lines().count()), (0, 2), "{done:?}");
    assert_eq!(
        done.errors,
        "nexmo-audit-exporter: the API answered with status 503: \"Later.\"; the API has a fault and is asked again\n  \
         trying again, up to 6 times\n"
    );
}

/// A person hears of a failure before the wait that follows it.
#[test]
fn the_first_failure_is_told_at_once() {
    let api = ScriptedApi::start(|_| Answer::error(429, "Slowly.").header("Retry-After", "200"));
    for command in [
        &["events", "list"][..],
        &["events", "get", "a"],
        &["events", "types"],
        &["backfill", "--from=2d", "--output=never"],
    ] {
        let process = Process::start("query", &mut prepared(&api.base_url(), command));
        let told = |line: &str| (line == "  trying again in 200 s, up to 6 times").then_some(());
        process.wait_for_line("message", MESSAGE, told);
        let failure = &process.lines()[0];
        assert!(
            failure.contains("the API asks for fewer requests (429: \"Slowly.\")"),
            "{failure}"
        );
    }
}

/// A server that was never reached is probably not there.
#[test]
fn a_connection_that_was_never_made_is_tried_for_a_few_seconds() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = nobody.local_addr().expect("an address").port();
    drop(nobody);
    let hint = "check --api.base-url, DNS, proxy and network";
    let refused = "the connection failed (Connection refused (os error 111))";
    let begun = Instant::now();
    for (command, failure) in [
        (&["events", "list"][..], "no events could be read: "),
        (&["backfill", "--from=2d", "--output=never"], ""),
    ] {
        let done = run(&format!("http://127.0.0.1:{port}/beta/audit"), command);
        assert_eq!((done.status, &*done.out), (1, ""));
        assert_eq!(
            done.errors,
            format!(
                "nexmo-audit-exporter: {refused}; {hint}\n  trying again, up to 2 times\n\
                 nexmo-audit-exporter: {failure}{refused}; {hint}\n"
            )
        );
    }
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let done = run(
        &format!("http://no-such-host.invalid:{port}/beta/audit"),
        &["events", "types", "--api.allow-http"],
    );
    assert_eq!(done.status, 1);
    let told = "  trying again, up to 2 times\n";
    assert!(
        done.errors.contains(told) && done.errors.contains(hint),
        "{}",
        done.errors
    );
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
        "--columns=time,colour",
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
        "--columns",
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
