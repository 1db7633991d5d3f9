//! The vendor's Node.js client against the simulator.
//!
//! The client knows nothing of this project, so the paths, authentication, parameters,
//! pages and errors that it can use are those of an Audit API.

use std::collections::HashSet;
use std::process::Command;

use serde::Deserialize;
use test_support::program::{API_KEY, API_SECRET, Simulator, command};
use test_support::repository;
use test_support::tools;

const SCRIPT: &str = "tests/third_party/vonage_client.cjs";

/// A number of events on more than two pages of the greatest size, the last of which is
/// not full.
const HISTORY: usize = 250;

/// An event with the field names of the client.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedEvent {
    id: String,
    event_type: String,
    created_at: String,
    account_id: String,
    source: String,
}

/// The output of `vonage_client.cjs`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answers {
    all: Vec<ListedEvent>,
    some: ListedEvent,
    of_one_type: Vec<ListedEvent>,
    since: Vec<ListedEvent>,
    until: Vec<ListedEvent>,
    in_small_pages: Vec<ListedEvent>,
    one: ListedEvent,
    unknown_event: u16,
    wrong_secret: u16,
}

#[test]
fn lists_filters_and_gets_events() {
    let Some(node) = tools::require("node") else {
        return;
    };
    if tools::require_node_module("@vonage/audit").is_none() {
        return;
    }
    let simulator = Simulator::start(HISTORY);
    let mut client = Command::new(node);
    client.arg(repository(SCRIPT)).arg(&simulator.host);
    let answers = answers(client.args([API_KEY, API_SECRET]));

    assert_all_pages(&answers);
    let by_us = listed_by_us(&simulator);
    assert_eq!(
        by_us.iter().map(String::as_str).collect::<HashSet<_>>(),
        ids(&answers.all)
    );
    assert_filters(&answers);
    assert_eq!(answers.one, answers.some);
    assert_eq!(answers.unknown_event, 404);
    assert_eq!(answers.wrong_secret, 401);
}

fn answers(client: &mut Command) -> Answers {
    let output = client
        .env("NODE_PATH", tools::node_modules())
        .output()
        .expect("node starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the client failed: {errors}");
    serde_json::from_slice(&output.stdout).expect("answers as the script prints them")
}

/// Returns the ids that `events list` shows. Their number is checked against that of
/// the lines.
fn listed_by_us(simulator: &Simulator) -> HashSet<String> {
    let output = command()
        .args(["events", "list", "--from=48h", "--output=json"])
        .arg(format!("--api.base-url={}", simulator.base_url()))
        .output()
        .expect("the program starts");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let events = lines
        .lines()
        .map(|line| serde_json::from_str::<ListedId>(line).expect("an event"));
    let ids: HashSet<_> = events.map(|event| event.id).collect();
    assert_eq!(ids.len(), lines.lines().count());
    ids
}

#[derive(Debug, Deserialize)]
struct ListedId {
    id: String,
}

fn assert_all_pages(answers: &Answers) {
    assert_eq!(ids(&answers.all).len(), HISTORY);
    assert_eq!(ids(&answers.in_small_pages), ids(&answers.all));
    assert!(answers.all.iter().all(|event| event.account_id == API_KEY));
}

/// The simulator includes both bounds of a time range.
fn assert_filters(answers: &Answers) {
    let some = &answers.some;
    let expect = |filter: &dyn Fn(&ListedEvent) -> bool| {
        let events = answers.all.iter().filter(|event| filter(event));
        events.cloned().collect::<Vec<_>>()
    };
    let of_one_type = expect(&|event| event.event_type == some.event_type);
    assert!(
        of_one_type.len() < HISTORY,
        "a filter that keeps all shows nothing"
    );
    assert_eq!(ids(&answers.of_one_type), ids(&of_one_type));
    // All times have one form, so the order of the texts is the order in time.
    let since = expect(&|event| event.created_at >= some.created_at);
    assert_eq!(ids(&answers.since), ids(&since));
    let until = expect(&|event| event.created_at <= some.created_at);
    assert_eq!(ids(&answers.until), ids(&until));
}

fn ids(events: &[ListedEvent]) -> HashSet<&str> {
    events.iter().map(|event| event.id.as_str()).collect()
}
