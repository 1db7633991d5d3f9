//! `events list` against the simulator and against unusual answers.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::{Value, json};
use test_support::audit_event::{event, with};
use test_support::command_output::CommandOutput;
use test_support::program::Simulator;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, healthy, listing};

use crate::run::{prepared, run};

const HISTORY: usize = 750;

/// The flags, and the events that they keep.
type Filter<'f> = (Vec<String>, Box<dyn Fn(&Value) -> bool + 'f>);

fn list(simulator: &Simulator, arguments: &[&str]) -> Vec<Value> {
    let all = [&["events", "list", "--output=json"], arguments].concat();
    run(&simulator.base_url(), &all).events()
}

fn text<'v>(event: &'v Value, field: &str) -> &'v str {
    event[field].as_str().unwrap_or_default()
}

#[test]
fn every_filter_shows_exactly_what_it_names() {
    let simulator = Simulator::start(HISTORY);
    let all = list(&simulator, &["--from=7d"]);
    assert_eq!(all.len(), HISTORY);
    let times: Vec<_> = all.iter().map(|event| text(event, "created_at")).collect();
    assert!(times.is_sorted());
    let some = &all[HISTORY / 2];
    let (kind, at) = (text(some, "event_type"), text(some, "created_at"));
    let by_api = all.iter().rfind(|event| text(event, "source") == "DEVAPI");
    let other = text(by_api.expect("an event"), "event_type");
    let with_user = all.iter().find(|event| event["user_id"].is_number());
    let with_user = with_user.expect("a user");
    let (email, id) = (text(with_user, "user_email"), &with_user["user_id"]);
    let cases: Vec<Filter<'_>> = vec![
        (
            vec![format!("--type={kind}")],
            Box::new(|event| text(event, "event_type") == kind),
        ),
        (
            vec![format!("--type={kind},{other}")],
            Box::new(|event| [kind, other].contains(&text(event, "event_type"))),
        ),
        (
            vec![format!("--user={}", email.to_uppercase())],
            Box::new(|event| text(event, "user_email") == email),
        ),
        (
            vec![format!("--user={id}")],
            Box::new(|event| event["user_id"] == *id),
        ),
        (
            vec!["--source=DEVAPI".into(), format!("--from={at}")],
            Box::new(|event| text(event, "source") == "DEVAPI" && text(event, "created_at") >= at),
        ),
        (
            vec!["--country=de".into(), "--country=FR".into()],
            Box::new(|event| ["DE", "FR"].contains(&text(event, "source_country"))),
        ),
        (
            vec!["--country=unknown".into()],
            Box::new(|event| event["source_country"].is_null()),
        ),
        (
            vec![format!("--to={at}")],
            Box::new(|event| text(event, "created_at") < at),
        ),
        (
            vec![format!("--search={email}")],
            Box::new(|event| event.to_string().contains(email)),
        ),
    ];
    for (flags, wanted) in cases {
        let mut flags: Vec<_> = flags.iter().map(String::as_str).collect();
        if !flags.iter().any(|flag| flag.starts_with("--from")) {
            flags.push("--from=7d");
        }
        let shown = list(&simulator, &flags);
        let expected: Vec<_> = all.iter().filter(|event| wanted(event)).cloned().collect();
        assert!(expected.len() < HISTORY, "{flags:?} keeps all");
        assert!(!expected.is_empty(), "{flags:?} keeps none");
        assert_eq!(shown, expected, "{flags:?}");
    }
}

#[test]
fn all_output_formats_show_the_same_events() {
    let simulator = Simulator::start(30);
    let shown = |arguments: &[&str]| {
        let all = [&["events", "list", "--from=2d"], arguments].concat();
        run(&simulator.base_url(), &all)
    };
    let events = shown(&["--output=json"]).events();
    for form in ["table", "csv"] {
        let done = shown(&[&format!("--output={form}")]);
        let lines = done.lines();
        assert_eq!(lines.len(), events.len() + 1, "{}", done.out);
        for (line, event) in lines[1..].iter().zip(&events) {
            for field in ["id", "event_type", "source_ip"] {
                assert!(line.contains(text(event, field)), "{line}");
            }
        }
        assert!(!done.out.contains('\u{1b}'), "colour in a pipe");
    }
    let limited = shown(&["--output=json", "--limit=7"]).events();
    assert_eq!(limited, events[..7]);
}

#[test]
fn local_time_is_asked_for_and_shown() {
    let api = ScriptedApi::start(healthy(vec![with(
        event("a", "APP_CREATE"),
        "created_at",
        json!("2026-03-01T03:30:00"),
    )]));
    let arguments = [
        "events",
        "list",
        "--local",
        "--from=2026-02-28",
        "--to=2026-02-28",
    ];
    let mut command = prepared(&api.base_url(), &arguments);
    let done = CommandOutput::of(command.env("TZ", "XYZ+5"));
    assert!(done.out.contains("2026-02-28 22:30:00-05:00"), "{done:?}");
    let asked = &api.requests()[0];
    // The command asks for a second more, since the bounds may be excluded.
    assert_eq!(
        asked.parameter("date_from").as_deref(),
        Some("2026-02-28T04:59:59")
    );
    assert_eq!(
        asked.parameter("date_to").as_deref(),
        Some("2026-03-01T05:00:01")
    );
}

/// A zone is known by its name on a machine without zone data, too, and one that is not known
/// is not taken for UTC.
#[test]
fn a_time_zone_is_known_or_refused() {
    let time = json!("2026-03-01T03:30:00");
    let event = with(event("a", "APP_CREATE"), "created_at", time);
    let api = ScriptedApi::start(healthy(vec![event]));
    for arguments in [
        &["events", "list", "--local", "--from=2026-02-28"][..],
        &["events", "get", "a", "--local"],
    ] {
        let mut command = prepared(&api.base_url(), arguments);
        let done = CommandOutput::of(command.env("TZ", "Nonsense/Zone"));
        assert_eq!((done.status, &*done.out), (2, ""));
        assert_eq!(
            done.errors,
            "nexmo-audit-exporter: the configuration cannot be used:\n  --local cannot be used, \
             since neither TZ nor this machine names a time zone that is known; set TZ to a name such as Europe/Berlin\n"
        );
    }
    let arguments = ["events", "list", "--local", "--from=2026-02-28"];
    let mut command = prepared(&api.base_url(), &arguments);
    // jiff looks for zone data there, and nowhere else.
    command
        .env("TZDIR", "/nowhere")
        .env("TZ", "America/New_York");
    let done = CommandOutput::of(&mut command);
    assert!(done.out.contains("2026-02-28 22:30:00-05:00"), "{done:?}");
}

#[test]
fn events_on_shifting_and_repeated_pages_are_shown_once_and_in_order() {
    let at = |id: &str, time: &str| with(event(id, "APP_CREATE"), "created_at", json!(time));
    let events = [
        at("c", "2026-11-01T00:00:02"),
        at("a", "2026-11-01T00:00:01"),
        at("b", "2026-11-01T00:00:01"),
        at("d", "no time at all"),
        at("before", "2026-10-31T23:59:59"),
        at("after", "2026-11-02T00:00:00"),
    ];
    // The API claims two pages of events, and shows most of them on each.
    let api = ScriptedApi::start(listing(move |request| {
        let shown = if request.page() == 1 {
            &events[..5]
        } else {
            &events[1..]
        };
        Answer::page(shown, json!(6), json!(2))
    }));
    let arguments = [
        "events",
        "list",
        "--from=2026-11-01",
        "--to=2026-11-01",
        "-ojson",
    ];
    let shown = run(&api.base_url(), &arguments).events();
    let ids: Vec<_> = shown.iter().map(|event| text(event, "id")).collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(
        HashSet::from(["a", "b"]),
        ids[..2].iter().copied().collect()
    );
    assert_eq!(ids[2..], ["c", "d"]);
}

#[test]
fn an_event_without_an_id_is_shown() {
    let nameless = with(event("a", "APP_CREATE"), "id", Value::Null);
    let api = ScriptedApi::start(healthy(vec![nameless]));
    let done = run(&api.base_url(), &["events", "list"]);
    assert!(done.lines()[1].contains("APP_CREATE"), "{}", done.out);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let wicked = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}\r\nnew line";
    let wicked = with(event("a", "APP_CREATE"), "user_email", json!(wicked));
    let answer = Answer::json(200, &wicked);
    let api = ScriptedApi::start(move |request| {
        if request.target.contains("/events/") {
            answer.clone()
        } else {
            Answer::list(std::slice::from_ref(&wicked))
        }
    });
    for arguments in [&["events", "list"], &["events", "get"]] {
        for form in ["table", "json", "csv"] {
            let mut arguments = arguments.to_vec();
            if arguments[1] == "get" {
                arguments.push("a");
            }
            arguments.extend(["--output", form]);
            let done = run(&api.base_url(), &arguments);
            let lines = done.lines();
            assert!(
                lines.iter().any(|line| line.contains("owned")),
                "{}",
                done.out
            );
            let steers = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!done.out.contains(steers), "{arguments:?}: {:?}", done.out);
        }
    }
}

/// What a stranger chooses, such as the name of a user, neither runs in a spreadsheet nor
/// makes a table of megabytes.
#[test]
fn a_value_of_a_stranger_is_no_formula_and_makes_no_table_wide() {
    let formula = with(
        event("a", "APP_CREATE"),
        "user_email",
        json!("=HYPERLINK(\"x\")"),
    );
    let long = with(
        event("b", "APP_CREATE"),
        "source",
        json!("x".repeat(100_000)),
    );
    let api = ScriptedApi::start(healthy(vec![formula, long]));
    let done = run(&api.base_url(), &["events", "list", "--output=csv"]);
    assert!(
        done.out.contains("\"'=HYPERLINK(\"\"x\"\")\""),
        "{}",
        done.errors
    );
    let done = run(&api.base_url(), &["events", "list"]);
    assert_eq!(done.lines().len(), 3);
    assert!(done.out.contains("xx…") && done.out.len() < 5000);
}

#[test]
fn an_empty_list_prints_no_events() {
    let api = ScriptedApi::start(listing(|_| Answer::new(204, "")));
    for (arguments, why) in [
        (
            &["--type=app_create"][..],
            "the range has no event of this type",
        ),
        (&[], "the range has no event"),
        (
            &["--search=x"],
            "the API finds no event in the range, with this --search",
        ),
    ] {
        let done = run(&api.base_url(), &[&["events", "list"], arguments].concat());
        assert_eq!((done.status, &*done.out), (0, ""));
        let said = format!("nexmo-audit-exporter: no event matches: {why}\n");
        assert_eq!(done.errors, said);
    }
    let done = run(&api.base_url(), &["events", "list", "--output=csv"]);
    assert_eq!(done.out.lines().count(), 1);
}

/// A person writes a type in any case, and sources and countries as they know them.
#[test]
fn what_a_filter_means_is_found_or_told() {
    let simulator = Simulator::start(HISTORY);
    let ask = |filter: &str| {
        let arguments = ["events", "list", "--from=7d", "--output=json", filter];
        run(&simulator.base_url(), &arguments)
    };
    let exact = ask("--type=USER_LOGIN").events();
    assert!(!exact.is_empty());
    assert_eq!(ask("--type=user_login").events(), exact);
    let cases = [
        (
            "--type=user_logon,USER_LOGIN,xyz",
            2,
            "the configuration cannot be used:
  --type user_logon is no type of the API; near to it are: USER_LOGIN, USER_LOGOUT
  --type xyz is no type of the API; `events types` lists them
",
        ),
        (
            "--source=api",
            0,
            "no event matches; none has --source=api, and there are: CD, DEVAPI\n",
        ),
        (
            "--country=UK",
            0,
            "no event matches; none has --country=UK, and there are: AU, CA, DE, ES, FR, GB, IE, IL, IN, IT, JP, MX, NL, NZ, PL, SE, SG, UA, US, ZA, …; they are codes of ISO 3166, as GB is for the United Kingdom\n",
        ),
    ];
    for (filter, status, says) in cases {
        let done = ask(filter);
        assert_eq!((done.status, &*done.out), (status, ""), "{filter}");
        assert_eq!(
            done.errors,
            format!("nexmo-audit-exporter: {says}"),
            "{filter}"
        );
    }
}

/// Of 60,000 events no more than a piece is held at once: the memory that the first
/// third needs is enough for all.
#[test]
fn memory_does_not_grow_with_the_list() {
    const EVENTS: usize = 60_000;
    /// The tolerance in kB: allocators keep memory, and one piece may be larger than
    /// another.
    const SLACK: u64 = 16_000;
    let simulator = Simulator::start(EVENTS);
    let arguments = [
        "events",
        "list",
        "--from=2d",
        "--output=json",
        "--api.max-requests-per-second=10000",
    ];
    let mut child = prepared(&simulator.base_url(), &arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let status = format!("/proc/{}/status", child.id());
    let peak = || -> u64 {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let (_, rest) = text.split_once("VmHWM:").expect("a running program");
        let kilobytes = rest.split_whitespace().next().expect("a number");
        kilobytes.parse().expect("a number")
    };
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (mut early, mut late) = (0, 0);
    let mut shown = 0;
    for line in out.lines() {
        line.expect("a line");
        shown += 1;
        match shown {
            20_000 => early = peak(),
            // The command cannot have ended while its last lines are in the pipe.
            59_000 => late = peak(),
            _ => {}
        }
    }
    assert!(child.wait().expect("an end").success());
    assert_eq!(shown, EVENTS);
    assert!(late < early + SLACK, "{early} kB became {late} kB");
}

#[test]
fn a_closed_pipe_ends_the_command_quietly() {
    let simulator = Simulator::start(50_000);
    let arguments = [
        "events",
        "list",
        "--from=2d",
        "--api.max-requests-per-second=10000",
    ];
    let mut child = prepared(&simulator.base_url(), &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    drop(out);
    let mut errors = String::new();
    let mut stderr = child.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut errors).expect("UTF-8");
    let status = child.wait().expect("an end");
    assert_eq!((status.code(), &*errors), (Some(0), ""));
}
