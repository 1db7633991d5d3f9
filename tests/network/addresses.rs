//! Addresses of the API that cannot work, and those that probably do not.

use std::process::Output;

use test_support::exporter::Exporter;
use test_support::program::{Simulator, command};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::ScriptedApi;

const PASSWORD: &str = "swordfish-8861";
const VENDOR: &str = "https://api.nexmo.com/beta/audit";

fn run(arguments: &[&str], base_url: &str) -> Output {
    let mut command = command();
    command.args(arguments).arg("--api.base-url").arg(base_url);
    command.output().expect("the program runs")
}

#[test]
fn an_address_that_cannot_work_is_refused() {
    let extra = "must not hold a user, a password, a query or a fragment; the key and the secret come from the environment or a file";
    let events = "ends with /events, which the exporter adds by itself; write it like https://api.nexmo.com/beta/audit";
    let user = format!("https://abcd1234:{PASSWORD}@api.nexmo.com/beta/audit");
    let cases = [
        ("https://api.nexmo.com/beta/audit/events", events),
        ("https://gateway.example.com/audit/events/", events),
        (
            "https://api.nexmo.com",
            "has no path; write it like https://api.nexmo.com/beta/audit",
        ),
        ("https://api.nexmo.com/beta/audit?page=1", extra),
        ("https://api.nexmo.com/beta/audit#events", extra),
        (&user, extra),
        (
            "\"https://api.nexmo.com/beta/audit\"",
            "is not a URL (relative URL without a base); write it like https://api.nexmo.com/beta/audit",
        ),
    ];
    for (base_url, problem) in cases {
        let commands: [&[&str]; 3] = [&["check-config"], &["serve"], &["events", "types"]];
        for arguments in commands {
            let done = run(arguments, base_url);
            let said = String::from_utf8(done.stderr).expect("text");
            let expected = format!(
                "nexmo-audit-exporter: the configuration cannot be used:\n  --api.base-url {problem}\n"
            );
            assert_eq!(said, expected, "{arguments:?} {base_url}");
            assert_eq!(done.status.code(), Some(2));
        }
    }
}

#[test]
fn an_address_that_probably_does_not_work_is_a_warning() {
    let no_path = format!(
        "--api.base-url has no path, so that requests go to /events; the URL of the vendor is {VENDOR}"
    );
    let cases = [
        ("https://gateway.example.com/", &*no_path),
        ("http://127.0.0.1:10611", &no_path),
        (
            "https://api.nexmo.com/audit",
            &format!("--api.base-url has the path /audit; the URL of the vendor is {VENDOR}"),
        ),
    ];
    for (base_url, warning) in cases {
        let done = run(&["check-config"], base_url);
        let said = String::from_utf8(done.stdout).expect("text");
        let expected = format!("Warning: {warning}\nThe configuration can be used: 1 account.\n");
        assert_eq!(said, expected, "{base_url}");
    }
    let simulator = Simulator::start(1);
    let exporter = Exporter::started_by(&mut command(), &simulator.host, &[]);
    exporter.program.wait_for_line(&no_path);
    let failure = exporter.program.wait_for_line("polls fail");
    let advice = format!("check --api.base-url, which is {VENDOR} for the vendor");
    assert!(failure.contains(&advice), "{failure}");
}

#[test]
fn a_command_says_what_to_do_about_404() {
    let api = ScriptedApi::start(|_| Answer::error(404, "nothing here"));
    let done = run(&["events", "types"], &api.base_url());
    let said = String::from_utf8(done.stderr).expect("text");
    let advice = format!("check --api.base-url, which is {VENDOR} for the vendor");
    assert!(said.contains(&advice), "{said}");
}
