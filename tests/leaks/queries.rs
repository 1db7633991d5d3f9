//! The commands that query the API once. Their standard output may show events; their
//! standard error may not, since others read it, too.

use std::process::Command;
use std::time::Duration;

use test_support::audit_event::{PERSONAL, event, events, with};
use test_support::eventually::reached;
use test_support::process::Process;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, healthy};

use crate::api_faults::{AN_EVENT, FAULTS, REJECTIONS, Script, malformed_events};
use crate::output::CollectedOutput;
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
fn no_fault_shows_anything_private() {
    let mut collected = CollectedOutput::default();
    let faults = FAULTS.iter().chain(REJECTIONS);
    for (name, fault) in faults.filter(|(name, _)| *name != AN_EVENT) {
        for arguments in COMMANDS {
            let said = says_of(*fault, arguments);
            collected.add(&format!("{arguments:?} after {name}"), said);
        }
    }
    collected.shows(&[
        "401",
        "the API answered with status",
        "not a list of audit events",
    ]);
    collected.shows_nothing_private();
}

/// Standard error is searched apart from the requested output.
#[test]
fn shown_events_are_not_on_standard_error() {
    let listed = [events(3, "USER_STATUS"), malformed_events()].concat();
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
        let mut shown = CollectedOutput::default();
        shown.add("standard output", output.stdout);
        shown.shows(&PERSONAL);
        assert_eq!(shown.missing(&[SECRET]), Some(SECRET));
        let mut said = CollectedOutput::default();
        said.add("standard error", output.stderr);
        said.shows_nothing_private();
    }
}

#[test]
fn a_backfill_shows_nothing_private() {
    let old = |place: usize| {
        let old = event(&format!("old-{place}"), "USER_STATUS");
        with(old, "created_at", "2026-11-01T00:00:30".into())
    };
    let listed: Vec<_> = (0..3).map(old).chain(malformed_events()).collect();
    let api = ScriptedApi::start(healthy(listed));
    let arguments = ["backfill", "--from=2026-11-01", "--to=2026-11-02"];
    let output = asking(&api, &arguments)
        .output()
        .expect("the program starts");
    let mut collected = CollectedOutput::default();
    collected.add("standard output", output.stdout);
    collected.add("standard error", output.stderr);
    collected.shows(&["USER_STATUS", "nexmo_audit_events_total"]);
    collected.shows_nothing_private();
}
