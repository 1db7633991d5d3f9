//! `events get` and `events types`.

use serde_json::json;
use test_support::audit_event::event;
use test_support::program::Simulator;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::ScriptedApi;

use crate::run::run;

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

#[test]
fn every_field_of_an_event_is_shown() {
    let simulator = Simulator::start(3);
    let url = simulator.base_url();
    let listed = run(&url, &["events", "list", "--from=2d", "-o", "json"]).events();
    let ids: Vec<_> = listed
        .iter()
        .map(|event| event["id"].as_str().expect("an id"))
        .collect();
    let arguments = [&["events", "get", "--output=json"], &ids[..]].concat();
    assert_eq!(run(&url, &arguments).events(), listed);
    let done = run(&url, &["events", "get", ids[0]]);
    let fields = listed[0].as_object().expect("an object");
    for (name, value) in fields {
        let line = done
            .out
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        let line = line.unwrap_or_else(|| panic!("no {name} in {}", done.out));
        if let Some(text) = value.as_str() {
            assert!(line.contains(text), "{line}");
        }
    }
    for name in listed[0]["context"].as_object().expect("an object").keys() {
        assert!(
            done.out.contains(&format!("  \"{name}\": ")),
            "{}",
            done.out
        );
    }
}

#[test]
fn a_missing_event_is_reported_and_the_others_are_shown() {
    let simulator = Simulator::start(1);
    let url = simulator.base_url();
    let listed = run(&url, &["events", "list", "--from=2d", "-o", "json"]).events();
    let id = listed[0]["id"].as_str().expect("an id");
    let done = run(
        &url,
        &["events", "get", NOBODY, id, "../../odd\u{1b}", "-ojson"],
    );
    assert_eq!(done.status, 1);
    assert_eq!(done.out.lines().count(), 1);
    assert!(done.out.contains(id));
    for said in [NOBODY, "odd\\u{1b}", "the API has no such event"] {
        assert!(done.errors.contains(said), "{}", done.errors);
    }
}

#[test]
fn an_answer_that_is_no_event_is_not_shown_as_one() {
    for answer in [
        Answer::new(200, "<html>a captive portal</html>"),
        Answer::new(200, "{\"id\": \"a\""),
        Answer::new(204, ""),
        Answer::json(200, &json!([event("a", "APP_CREATE")])),
    ] {
        let api = ScriptedApi::start(move |_| answer.clone());
        let done = run(&api.base_url(), &["events", "get", "a"]);
        assert_eq!((done.status, &*done.out), (1, ""));
        assert!(done.errors.contains("a: "), "{}", done.errors);
    }
}

#[test]
fn types_are_those_of_the_vendor() {
    let api = ScriptedApi::start(|_| Answer::types(&["USER_STATUS", "APP\u{1b}"]));
    let cases = [
        (
            "table",
            "TYPE         DESCRIPTION\nAPP\\u{1b}    APP\\u{1b} in words\nUSER_STATUS  USER_STATUS in words\n",
        ),
        (
            "csv",
            "type,description\nAPP\\u{1b},APP\\u{1b} in words\nUSER_STATUS,USER_STATUS in words\n",
        ),
        (
            "json",
            "{\"description\":\"APP\\u001b in words\",\"type\":\"APP\\u001b\"}\n{\"description\":\"USER_STATUS in words\",\"type\":\"USER_STATUS\"}\n",
        ),
    ];
    for (form, expected) in cases {
        let done = run(&api.base_url(), &["events", "types", "--output", form]);
        done.lines();
        assert_eq!(done.out, expected);
    }
}
