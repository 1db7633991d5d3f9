//! Lists whose order differs from page to page, and lists that are never whole.

use std::collections::HashSet;

use fastrand::Rng;
use serde_json::{Value, json};
use test_support::audit_event::event;
use test_support::command_output::CommandOutput;
use test_support::program::Simulator;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, healthy, listing};

use crate::run::run;

const HISTORY: usize = 150;

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

fn list(base_url: &str) -> CommandOutput {
    let rate = "--api.max-requests-per-second=10000";
    run(
        base_url,
        &["events", "list", "--from=7d", "--output=json", rate],
    )
}

fn ids(done: &CommandOutput) -> HashSet<String> {
    let id = |line: &str| {
        let event: Value = serde_json::from_str(line).expect("JSON");
        event["id"].as_str().expect("an id").to_owned()
    };
    let ids: HashSet<_> = done.out.lines().map(id).collect();
    assert_eq!(ids.len(), done.out.lines().count(), "an event twice");
    ids
}

#[test]
fn a_list_with_another_order_on_every_page_is_whole_each_time() {
    for seed in 1..=100 {
        let seed = format!("--seed={seed}");
        let simulator = Simulator::start_with(HISTORY, &["--order=shuffled", &seed]);
        let done = list(&simulator.base_url());
        assert_eq!((done.status, &*done.errors), (0, ""), "{seed}");
        assert_eq!(ids(&done).len(), HISTORY, "{seed}");
    }
}

#[test]
fn a_history_with_another_order_on_every_page_is_whole_each_time() {
    for seed in 1..=20 {
        let seed = format!("--seed={seed}");
        let simulator = Simulator::start_with(HISTORY, &["--order=shuffled", &seed]);
        let arguments = ["backfill", "--from=30h", "--to=now", "--allow-recent"];
        let done = run(&simulator.base_url(), &arguments);
        assert_eq!(done.status, 0, "{seed}: {}", done.errors);
        let says = format!("{HISTORY} events from");
        assert!(done.errors.contains(&says), "{seed}: {}", done.errors);
    }
}

/// A list that is shuffled for every page, and claims more events than there are.
fn shuffled(shown: usize, claimed: usize) -> impl Fn(&Request) -> Answer + Send + Sync {
    let rng = std::sync::Mutex::new(Rng::with_seed(1));
    listing(move |request| {
        let mut all: Vec<_> = (0..shown)
            .map(|n| event(&n.to_string(), "APP_CREATE"))
            .collect();
        rng.lock().expect("a generator").shuffle(&mut all);
        let first = 100 * (usize::try_from(request.page()).expect("a page") - 1);
        let page: Vec<_> = all.into_iter().skip(first).take(100).collect();
        Answer::page(&page, json!(claimed), json!(claimed.div_ceil(100)))
    })
}

#[test]
fn a_list_that_never_becomes_whole_is_shown_and_fails() {
    let cases: [(Box<Script>, usize, usize); 3] = [
        (Box::new(shuffled(150, 151)), 150, 1),
        (Box::new(shuffled(1, 3)), 1, 2),
        (Box::new(listing(always_short)), 2, 3),
    ];
    for (script, shown, missing) in cases {
        let api = ScriptedApi::start(script);
        let done = list(&api.base_url());
        let says = format!("{missing} missing");
        assert_eq!(done.status, 1, "{}", done.errors);
        assert!(done.errors.contains(&says), "{}", done.errors);
        assert_eq!(ids(&done).len(), shown);
        let asked = api.requests().len();
        assert!(asked <= 2 * 64, "{asked} requests");
    }
}

/// A list without an order of its own that claims 5 events and shows 2.
fn always_short(request: &Request) -> Answer {
    let events = ["a", "b"].map(|id| event(id, "APP_CREATE"));
    match request.page() {
        1 => Answer::page(&events, json!(5), json!(1)),
        _ => Answer::page(&[], json!(5), json!(1)),
    }
}

#[test]
fn a_limit_does_not_hide_that_events_are_missing() {
    let api = ScriptedApi::start(listing(always_short));
    let arguments = ["events", "list", "--output=json", "--limit=1"];
    let done = run(&api.base_url(), &arguments);
    assert_eq!((done.status, done.out.lines().count()), (1, 1), "{done:?}");
    assert!(done.errors.contains("3 missing"), "{}", done.errors);
}

#[test]
fn a_list_that_is_whole_is_read_once() {
    let api = ScriptedApi::start(healthy(vec![event("a", "APP_CREATE")]));
    assert_eq!(ids(&list(&api.base_url())).len(), 1);
    assert_eq!(api.requests().len(), 1);
}
