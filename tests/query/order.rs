//! `events list` with `--limit`, `--tail` and `--reverse`: which events are shown, and in
//! which order.

use serde_json::Value;
use test_support::limited_list::LimitedList;
use test_support::program::Simulator;
use test_support::scripted_api::{ScriptedApi, listing};

use crate::limits::lists;
use crate::run::run;

fn ids(base_url: &str, arguments: &[&str]) -> Vec<String> {
    let all = [
        &[
            "events",
            "list",
            "--output=json",
            "--api.max-requests-per-second=10000",
        ],
        arguments,
    ];
    let id = |event: Value| event["id"].to_string();
    let events = run(base_url, &all.concat()).events();
    events.into_iter().map(id).collect()
}

fn reversed(ids: &[String]) -> Vec<String> {
    ids.iter().rev().cloned().collect()
}

#[test]
fn limit_takes_the_oldest_tail_the_newest_and_reverse_turns_the_order() {
    let simulator = Simulator::start(750);
    let ids = |arguments: &[&str]| ids(&simulator.base_url(), arguments);
    let all = ids(&["--from=7d"]);
    let (oldest, newest) = (&all[..7], &all[all.len() - 7..]);
    assert_eq!(ids(&["--from=7d", "--limit=7"]), oldest);
    assert_eq!(ids(&["--from=7d", "--tail=7"]), newest);
    assert_eq!(
        ids(&["--from=7d", "--limit=7", "--reverse"]),
        reversed(oldest)
    );
    assert_eq!(
        ids(&["--from=7d", "--tail=7", "--reverse"]),
        reversed(newest)
    );
    let last_ten = &all[all.len() - 10..];
    assert_eq!(ids(&["--tail", "--from=7d"]), last_ten);
    assert_eq!(ids(&["--from=7d", "--reverse"]), reversed(&all));
    assert_eq!(ids(&["--from=7d", "--tail=100000"]), all);
    // The filters are applied before the events are chosen.
    let of_source = ids(&["--from=7d", "--source=DEVAPI"]);
    let tail = ids(&["--from=7d", "--source=DEVAPI", "--tail=3"]);
    assert_eq!(tail, of_source[of_source.len() - 3..]);
}

#[test]
fn a_limited_list_is_read_backwards_whole() {
    for list in lists() {
        let name = format!("{:?}", list.beyond);
        let api = ScriptedApi::start(listing(move |request| list.answer(request)));
        let all = ids(&api.base_url(), &["--from=1h"]);
        assert_eq!(all.len(), 1250, "{name}");
        assert_eq!(
            ids(&api.base_url(), &["--from=1h", "--reverse"]),
            reversed(&all),
            "{name}"
        );
        assert_eq!(
            ids(&api.base_url(), &["--from=1h", "--tail=1100"]),
            all[150..],
            "{name}"
        );
    }
}

/// Of three months with an event in each minute, the newest ten are read in a few requests.
#[test]
fn the_newest_events_of_a_long_range_need_few_requests() {
    let list = LimitedList::of_ages((1..100_000).map(|minutes| minutes * 60));
    let api = ScriptedApi::start(listing(move |request| list.answer(request)));
    assert_eq!(ids(&api.base_url(), &["--from=90d", "--tail=10"]).len(), 10);
    let requests = api.requests().len();
    assert!(requests <= 3, "{requests} requests");
}
