//! The commands that query the API once. Their standard output may show events; their
//! standard error may not, since others read it, too.

use std::process::Command;
use std::time::Duration;

use test_support::audit_event::{PERSONAL, event, events, with};
use test_support::eventually::reached;
use test_support::process::Process;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, healthy};

use crate::api_faults::{AN_EVENT, FAULTS, REJECTIONS, Script, odd_events};
use crate::output::Evidence;
use crate::private_data::SECRET;
use crate::serving::with_secret;

const DEADLINE: Duration = Duration::from_secs(20);
const COMMANDS: &[&[&str]] = &[
    &["events", "list", "--from=1h"],
    &["events", "get", "a", "b", "-ojson"],
    &["events", "types"],
    &["backfill", "--from=30h", "--to=5h"],
];

fn asking(api: &ScriptedApi, arguments: &[&str]) -> Command {
    let mut command = with_secret();
    command
        .args(arguments)
        .args(["--log.level=trace", "--api.timeout=300ms"])
        .arg(format!("--api.base-url={}", api.base_url()));
    command
}

/// Returns what a command writes about a fault until it ends or asks again.
fn says_of(fault: Script, arguments: &[&str]) -> String {
    let api = ScriptedApi::start(fault);
    let mut process = Process::start("the command", &mut asking(&api, arguments));
    assert!(reached(DEADLINE, || process.has_ended() || api.requests().len() > 1));
    process.lines().join("\n")
}

#[test]
fn no_fault_brings_anything_out() {
    let mut evidence = Evidence::default();
    let faults = FAULTS.iter().chain(REJECTIONS);
    for (name, fault) in faults.filter(|(name, _)| *name != AN_EVENT) {
        for arguments in COMMANDS {
            let said = says_of(*fault, arguments);
            evidence.add(&format!("{arguments:?} after {name}"), said);
        }
    }
    evidence.shows(&[
        "401",
        "the API answered with status",
        "not a list of audit events",
    ]);
    evidence.shows_nothing_private();
}

/// Standard error is searched apart from the requested output.
#[test]
fn what_is_shown_is_not_said() {
    let listed = [events(3, "USER_STATUS"), odd_events()].concat();
    let list = ScriptedApi::start(healthy(listed));
    let one = ScriptedApi::start(|_| Answer::json(200, &event("a", "A")));
    let by_user = [
        "events",
        "list",
        "--from=1h",
        "-ojson",
        "--user=ada@example.org",
    ];
    let cases = [
        (&list, &["events", "list", "--from=1h", "-ojson"][..]),
        (&list, &by_user),
        (&one, &["events", "get", "a", "-ojson"]),
    ];
    for (api, arguments) in cases {
        let output = asking(api, arguments).output().expect("the program starts");
        let mut shown = Evidence::default();
        shown.add("standard output", output.stdout);
        shown.shows(&PERSONAL);
        assert_eq!(shown.missing(&[SECRET]), Some(SECRET));
        let mut said = Evidence::default();
        said.add("standard error", output.stderr);
        said.shows_nothing_private();
    }
}

#[test]
fn a_history_tells_of_nobody() {
    let old = |place: usize| {
        let old = event(&format!("old-{place}"), "USER_STATUS");
        with(old, "created_at", "2026-11-01T00:00:30".into())
    };
    let listed: Vec<_> = (0..3).map(old).chain(odd_events()).collect();
    let api = ScriptedApi::start(healthy(listed));
    let arguments = ["backfill", "--from=2026-11-01", "--to=2026-11-02"];
    let output = asking(&api, &arguments)
        .output()
        .expect("the program starts");
    let mut evidence = Evidence::default();
    evidence.add("standard output", output.stdout);
    evidence.add("standard error", output.stderr);
    evidence.shows(&["USER_STATUS", "nexmo_audit_events_total"]);
    evidence.shows_nothing_private();
}
