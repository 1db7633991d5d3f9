//! The exporter against Prism, which plays the vendor's API from the vendor's
//! definition.
//!
//! Prism answers every list request with the only example of the definition, which
//! claims to be 1 of 120 events on 2 pages, and refuses a request that the definition
//! does not allow. So a poll that succeeds has sent only what the vendor documents, and
//! has not read again and again for events that never come.

use std::process::Command;
use std::time::Duration;

use test_support::eventually::eventually;
use test_support::exposition::value;
use test_support::http::HttpClient;
use test_support::process::{Process, START};
use test_support::program::{Program, command};
use test_support::tools;

use crate::openapi_definition;

/// The time for a first poll that reads again what it finds incomplete.
const FIRST_POLL: Duration = Duration::from_secs(30);

/// The example of the definition: its only type, and the labels of the event.
const TYPE: &[(&str, &str)] = &[("event_type", "USER_STATUS")];
const EVENT: &[(&str, &str)] = &[
    ("event_type", "USER_STATUS"),
    ("source", "CD"),
    ("source_country", "GB"),
];

/// Prism with the vendor's definition, without the `/beta/audit` of the real API.
struct Prism {
    _process: Process,
    base_url: String,
}

impl Prism {
    /// Returns `None`, which skips the test, if Prism or the definition is missing.
    fn start() -> Option<Self> {
        let node = tools::require("node")?;
        let prism = tools::require_node_module("@stoplight/prism-cli")?;
        let definition = openapi_definition::require()?;
        let mut command = Command::new(node);
        command
            .arg(prism.join("dist/index.js"))
            .args(["mock", "--host=127.0.0.1", "--port=0"])
            .arg(definition);
        let process = Process::start("prism", &mut command);
        let base_url = process.wait_for_line("address", START, base_url);
        Some(Self {
            _process: process,
            base_url,
        })
    }
}

/// Returns the address in `Prism is listening on http://127.0.0.1:4010`.
fn base_url(line: &str) -> Option<String> {
    let (_, url) = line.split_once("listening on ")?;
    Some(url.trim().to_owned())
}

/// Returns what the exporter shows after its first successful poll of Prism.
fn metrics_after_first_poll(prism: &Prism, start: &str) -> String {
    let exporter = Program::start(&[
        "serve",
        "--web.listen-address=127.0.0.1:0",
        &format!("--api.base-url={}", prism.base_url),
        &format!("--poll.start={start}"),
    ]);
    let http = HttpClient::new();
    eventually("successful poll", FIRST_POLL, || {
        let text = http.get_body(&exporter.url("/metrics"))?;
        match value(&text, "nexmo_audit_up", &[]) {
            Some(1.0) => Ok(text),
            up => Err(format!("nexmo_audit_up is {up:?}\n{}", exporter.log())),
        }
    })
}

/// Returns the output of `events` with Prism. A list is shown and fails: the example of the
/// definition claims 120 events and shows the same one on each page.
fn asked(prism: &Prism, arguments: &[&str]) -> String {
    let output = command()
        .arg("events")
        .args(arguments)
        .arg(format!("--api.base-url={}", prism.base_url))
        .output()
        .expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    let is_list = arguments[0] == "list";
    let expected = i32::from(is_list);
    assert_eq!(output.status.code(), Some(expected), "{errors}");
    assert_eq!(errors.contains(" missing)"), is_list, "{errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The examples of the vendor's guide: a month, a type, a text, one id. Prism has no
/// filters, so this test does not check events of another month, type or user.
#[test]
fn asks_for_events_as_the_vendor_shows_it() {
    let Some(prism) = Prism::start() else { return };
    let month = ["list", "--from=2025-10-01", "--to=2025-10-31"];
    let listed = |more: &[&str]| {
        let listed = asked(&prism, &[&month[..], &["--output=json"], more].concat());
        listed.lines().count()
    };
    assert_eq!(listed(&[]), 1);
    assert_eq!(listed(&["--type=USER_STATUS"]), 1);
    assert_eq!(listed(&["--type=USER_STATUS,APP_CREATE"]), 1);
    assert_eq!(listed(&["--type=APP_CREATE"]), 0);
    assert_eq!(listed(&["--search=some text"]), 1);
    assert_eq!(listed(&["--country=GB", "--source=CD"]), 1);
    assert_eq!(listed(&["--user=nobody"]), 0);
    let september = asked(&prism, &["list", "--from=2025-09-01", "--to=2025-09-30"]);
    assert_eq!(september, "");
    let id = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
    let one = asked(&prism, &["get", id]);
    assert!(one.contains(id) && one.contains("USER_STATUS"), "{one}");
    assert!(asked(&prism, &["types"]).contains("Application created."));
}

#[test]
fn counts_the_example_event_once() {
    let Some(prism) = Prism::start() else { return };
    let text = metrics_after_first_poll(&prism, "2018-01-01T00:00:00Z");

    assert_eq!(value(&text, "nexmo_audit_events_total", EVENT), Some(1.0));
    let by_type = value(&text, "nexmo_audit_events_by_type_total", TYPE);
    assert_eq!(by_type, Some(1.0));
    let malformed = value(&text, "nexmo_audit_malformed_events_total", &[]);
    assert_eq!(malformed, Some(0.0));
}

#[test]
fn starts_known_types_at_zero_and_counts_nothing_older_than_its_start() {
    let Some(prism) = Prism::start() else { return };
    let text = metrics_after_first_poll(&prism, "now");

    assert_eq!(value(&text, "nexmo_audit_events_total", EVENT), None);
    let by_type = value(&text, "nexmo_audit_events_by_type_total", TYPE);
    assert_eq!(by_type, Some(0.0));
    let described = [TYPE, &[("description", "Application created.")]].concat();
    let info = value(&text, "nexmo_audit_event_type_info", &described);
    assert_eq!(info, Some(1.0));
}
