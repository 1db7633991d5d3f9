//! Lists that show less than there is, read by the commands that query the API once.

use test_support::command_output::CommandOutput;
use test_support::limited_list::{Beyond, LimitedList};
use test_support::program::Simulator;
use test_support::scripted_api::{ScriptedApi, listing};

use crate::run::run;

fn of(list: LimitedList, arguments: &[&str]) -> CommandOutput {
    let api = ScriptedApi::start(listing(move |request| list.answer(request)));
    let rate = "--api.max-requests-per-second=10000";
    run(&api.base_url(), &[arguments, &[rate]].concat())
}

pub(crate) fn lists() -> [LimitedList; 3] {
    let capped = LimitedList {
        most_events: 1000,
        beyond: Beyond::Error(400),
        ..LimitedList::spread(1250)
    };
    let refused = LimitedList {
        last_page: 3,
        beyond: Beyond::Error(404),
        ..LimitedList::spread(1250)
    };
    let clamped = LimitedList {
        page_size: 30,
        has_counts: false,
        beyond: Beyond::EmptyObject,
        ..LimitedList::spread(1250)
    };
    [capped, refused, clamped]
}

#[test]
fn every_event_of_a_limited_list_is_listed_once() {
    for list in lists() {
        let name = format!("{:?}", list.beyond);
        let done = of(list, &["events", "list", "--from=1h", "--output=json"]);
        assert_eq!((done.lines().len(), done.status), (1250, 0), "{name}");
    }
}

#[test]
fn every_event_of_a_limited_list_is_in_the_history() {
    for list in lists() {
        let name = format!("{:?}", list.beyond);
        let arguments = ["backfill", "--from=1h", "--to=now", "--allow-recent"];
        let done = of(list, &arguments);
        assert_eq!(done.status, 0, "{name}: {}", done.errors);
        assert!(
            done.errors.contains("1250 events from"),
            "{name}: {}",
            done.errors
        );
    }
}

#[test]
fn a_second_with_more_events_than_are_shown_fails_the_command() {
    let list = LimitedList {
        last_page: 1,
        beyond: Beyond::Error(400),
        ..LimitedList::of_ages((0..150).map(|_| 600))
    };
    let done = of(list, &["events", "list", "--from=1h", "--output=json"]);
    assert_eq!(
        (done.status, done.out.lines().count()),
        (1, 100),
        "{}",
        done.errors
    );
    assert!(done.errors.contains("50 missing"), "{}", done.errors);
}

#[test]
fn every_event_of_a_simulated_list_with_traps_is_listed() {
    let traps: [&[&str]; 4] = [
        &["--limit-total=200"],
        &["--limit-pages=2", "--order=oldest"],
        &["--clamp-size=30", "--without-page", "--time-format=epoch"],
        &[
            "--limit-pages=3",
            "--clamp-size=50",
            "--time-format=rfc1123",
        ],
    ];
    for flags in traps {
        let simulator = Simulator::start_with(450, flags);
        let rate = "--api.max-requests-per-second=10000";
        let arguments = ["events", "list", "--from=7d", "--output=json", rate];
        let done = run(&simulator.base_url(), &arguments);
        assert_eq!((done.lines().len(), done.status), (450, 0), "{flags:?}");
    }
}
