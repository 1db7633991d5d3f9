//! The event log: each counted event is a line, at least once and in order, through a
//! crash, a rotation and a disk that cannot be written.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;
use test_support::audit_event::{assert_shows_nothing_private, event, events, with, written};
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, ONE_POLL, is};
use test_support::program::{Program, command};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, healthy, listing};

/// The time from an event to its line, on a busy machine.
const WRITTEN: Duration = Duration::from_secs(40);

const PENDING: &str = "nexmo_audit_event_log_pending_lines";
const FAILURES: &str = "nexmo_audit_event_log_failures_total";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn log_to(path: &Path) -> String {
    format!("--events.log={}", path.display())
}

/// Returns the ids of the events in a log, in order.
fn ids(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let id = |line: &str| {
        let event: Value = serde_json::from_str(line).expect("a line of JSON");
        event["id"].as_str().expect("an id").to_owned()
    };
    text.lines().map(id).collect()
}

fn wait_for_ids(path: &Path, expected: &[&str]) {
    eventually(&format!("{expected:?}"), WRITTEN, || {
        let ids = ids(path);
        (ids == expected)
            .then_some(())
            .ok_or_else(|| format!("{ids:?}"))
    });
}

#[test]
fn a_counted_event_is_a_line_without_personal_data() {
    let api = ScriptedApi::start(healthy(events(3, "USER_STATUS")));
    let folder = folder();
    let path = folder.path().join("events.jsonl");
    let exporter = Exporter::polling_with(&api, &[&log_to(&path)]);
    exporter.wait_until_up();
    let names: Vec<_> = (0..3).map(|place| format!("event-{place}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    wait_for_ids(&path, &names);
    exporter.wait_for_polls(3);
    wait_for_ids(&path, &names);
    exporter.wait_for(PENDING, &[], is(0.0));
    let page = exporter.page("/metrics");
    assert!(page.contains(&format!("\n{FAILURES} 0\n")), "{page}");
    let text = fs::read_to_string(&path).expect("a log");
    assert_shows_nothing_private("the event log", &text);
    let line: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(line["event_type"], "USER_STATUS");
    assert_eq!(line["source_country"], "GB");
    assert!(line["created_at"].as_str().expect("a time").ends_with('Z'));
}

#[test]
fn personal_data_is_logged_on_request() {
    let recorded = event("a", "USER_STATUS");
    let api = ScriptedApi::start(healthy(vec![recorded.clone()]));
    let settings = ["--events.log=stdout", "--events.log-personal-data"];
    let exporter = Exporter::polling_with(&api, &settings);
    let line = exporter.program.wait_for_line("\"user_email\":");
    let told: Value = serde_json::from_str(&line).expect("JSON");
    for field in ["user_email", "user_id", "source_ip", "context", "_links"] {
        assert_eq!(told[field], recorded[field], "{field}");
    }
}

#[test]
fn no_event_is_logged_without_the_flag() {
    let api = ScriptedApi::start(healthy(events(3, "USER_STATUS")));
    let exporter = Exporter::polling(&api);
    exporter.wait_until_up();
    exporter.wait_for_polls(2);
    let shown = exporter.program.lines().join("\n");
    assert!(!shown.contains("\"event_type\""), "{shown}");
    let page = exporter.page("/metrics");
    assert!(!page.contains("nexmo_audit_event_log"), "{page}");
}

#[test]
fn a_rotated_log_continues_in_a_new_file() {
    let api = ScriptedApi::start(healthy(vec![event("a", "USER_STATUS")]));
    let folder = folder();
    let path = folder.path().join("events.jsonl");
    let _exporter = Exporter::polling_with(&api, &[&log_to(&path)]);
    wait_for_ids(&path, &["a"]);
    let moved = folder.path().join("events.jsonl.1");
    fs::rename(&path, &moved).expect("a rotation");
    let two = vec![event("a", "USER_STATUS"), event("b", "USER_STATUS")];
    api.follow(healthy(two.clone()));
    wait_for_ids(&path, &["b"]);
    assert_eq!(ids(&moved), ["a"]);
    // The log is also truncated in place, as `copytruncate` does it.
    fs::write(&path, "").expect("an empty file");
    api.follow(healthy([two, vec![event("c", "USER_STATUS")]].concat()));
    wait_for_ids(&path, &["c"]);
}

#[test]
fn a_disk_that_cannot_be_written_delays_nothing() {
    let api = ScriptedApi::start(healthy(events(2, "USER_STATUS")));
    let folder = folder();
    let missing = folder.path().join("not-mounted");
    let path = missing.join("events.jsonl");
    let exporter = Exporter::polling_with(&api, &[&log_to(&path)]);
    let line = exporter
        .program
        .wait_for_line("event log cannot be written");
    assert!(
        line.contains("not-mounted") && line.contains("counting goes on"),
        "{line}"
    );
    api.follow(healthy(events(5, "USER_STATUS")));
    exporter.wait_for("nexmo_audit_events_total", &[], |_| {
        is(5.0)(exporter.counted())
    });
    exporter.wait_for(PENDING, &[], is(5.0));
    exporter.wait_for(FAILURES, &[], |failures| failures >= 2.0);
    fs::create_dir(&missing).expect("a folder");
    exporter.program.wait_for_line("event log is written again");
    exporter.wait_for(PENDING, &[], is(0.0));
    let ids = ids(&path);
    assert_eq!(ids.len(), 5, "{ids:?}");
    assert!(
        ids[..2]
            .iter()
            .all(|id| ["event-0", "event-1"].contains(&&**id)),
        "{ids:?}"
    );
}

/// Starts an exporter with its state in `folder`, so that another one can continue
/// after it.
fn restartable(api: &ScriptedApi, folder: &Path, log: &Path) -> Program {
    let settings = [
        "serve".to_owned(),
        "--web.listen-address=127.0.0.1:0".to_owned(),
        "--poll.interval=100ms".to_owned(),
        "--poll.start=1h".to_owned(),
        "--metrics.scrape-interval=0".to_owned(),
        format!("--storage.path={}", folder.join("data").display()),
        format!("--api.base-url={}", api.base_url()),
        log_to(log),
    ];
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    Program::started_by(command().args(&settings), &settings)
}

#[test]
fn no_line_is_written_twice_by_ends_and_starts() {
    const EVENTS: usize = 40;
    let api = ScriptedApi::start(healthy(Vec::new()));
    let folder = folder();
    let path = folder.path().join("events.jsonl");
    let storage = format!("--storage.path={}", folder.path().join("data").display());
    for round in 1..=6 {
        api.follow(healthy(events(round * EVENTS, "USER_STATUS")));
        // No commit comes after the one that stores the lines.
        let timeout = format!("--web.shutdown-timeout={}s", round % 2);
        let settings = [
            &*storage,
            &*log_to(&path),
            &*timeout,
            ONE_POLL[0],
            ONE_POLL[1],
        ];
        let mut exporter = Exporter::polling_with(&api, &settings);
        eventually("a line", WRITTEN, || {
            let lines = ids(&path).len();
            (lines > (round - 1) * EVENTS)
                .then_some(())
                .ok_or_else(|| exporter.program.log())
        });
        exporter.program.signal("TERM");
        exporter.program.wait_for_end(WRITTEN);
        let mut written = ids(&path);
        let all = written.len();
        written.sort_unstable();
        written.dedup();
        assert_eq!((all, written.len()), (round * EVENTS, round * EVENTS));
    }
}

#[test]
fn the_lines_of_a_poll_are_oldest_first() {
    let created = |minutes: i64| {
        let at = Timestamp::now() - SignedDuration::from_mins(minutes);
        let event = event(&format!("event-{minutes}"), "USER_STATUS");
        with(event, "created_at", written(at).into())
    };
    // The first of two pages, which list the newest event first.
    let events: Vec<_> = (1..=30).map(created).collect();
    let (first, second) = (events[..20].to_vec(), events[20..].to_vec());
    let (all, pages) = (Value::from(30), Value::from(2));
    let api = ScriptedApi::start(listing(move |request| match request.page() {
        1 => Answer::page(&first, all.clone(), pages.clone()),
        2 => Answer::page(&second, all.clone(), pages.clone()),
        _ => Answer::page(&[], all.clone(), pages.clone()),
    }));
    let folder = folder();
    let path = folder.path().join("events.jsonl");
    let _exporter = Exporter::polling_with(&api, &[&log_to(&path)]);
    let expected: Vec<_> = (1..=30)
        .rev()
        .map(|place| format!("event-{place}"))
        .collect();
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    wait_for_ids(&path, &expected);
}

/// The lines of an earlier process wait as well as those of this one, and no write fails
/// while a pipe has no reader.
#[test]
fn lines_that_wait_for_a_reader_are_pending_after_a_restart_too() {
    let api = ScriptedApi::start(healthy(events(3, "USER_STATUS")));
    let folder = folder();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let storage = format!("--storage.path={}", folder.path().join("data").display());
    let start = |log: &Path| Exporter::polling_with(&api, &[&storage, &log_to(log)]);
    // The first lines are written, so that the numbers of those that wait do not begin at 1.
    let path = folder.path().join("events.jsonl");
    let first = start(&path);
    wait_for_ids(&path, &["event-0", "event-1", "event-2"]);
    // The next commit removes them from the state.
    first.wait_for_polls(2);
    first.program.signal("KILL");
    drop(first);
    api.follow(healthy(events(10, "USER_STATUS")));
    let second = start(&pipe);
    second.wait_for(PENDING, &[], is(7.0));
    second.program.signal("KILL");
    drop(second);
    api.follow(healthy(events(12, "USER_STATUS")));
    let third = start(&pipe);
    third.wait_for(PENDING, &[], is(9.0));
    assert!(is(0.0)(third.value(FAILURES, &[])));
    let mut reader = Command::new("cat").arg(&pipe).spawn().expect("cat");
    third.wait_for(PENDING, &[], is(0.0));
    reader.kill().expect("it ends");
    let _ = reader.wait();
}

#[test]
fn each_event_is_written_in_order_through_kills() {
    const ROUNDS: usize = 8;
    const EVENTS: usize = 50;
    let api = ScriptedApi::start(healthy(Vec::new()));
    let folder = folder();
    let path = folder.path().join("events.jsonl");
    let lines = || {
        fs::read_to_string(&path)
            .unwrap_or_default()
            .lines()
            .count()
    };
    for round in 1..=ROUNDS {
        let program = restartable(&api, folder.path(), &path);
        program.wait_for_line("first poll succeeded");
        let before = lines();
        api.follow(healthy(events(round * EVENTS, "USER_STATUS")));
        eventually("a new line", WRITTEN, || {
            (lines() > before)
                .then_some(())
                .ok_or_else(|| program.log())
        });
        program.signal("KILL");
    }
    let program = restartable(&api, folder.path(), &path);
    program.wait_for_line("first poll succeeded");
    eventually("every line", WRITTEN, || {
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let event = |line: &str| serde_json::from_str::<Value>(line).ok();
        let ids = text
            .lines()
            .filter_map(event)
            .map(|event| event["id"].clone());
        let mut first: Vec<Value> = Vec::new();
        for id in ids {
            if !first.contains(&id) {
                first.push(id);
            }
        }
        let expected = (0..ROUNDS * EVENTS).map(|place| Value::from(format!("event-{place}")));
        let whole = first.iter().cloned().eq(expected);
        whole
            .then_some(())
            .ok_or_else(|| format!("{} first lines", first.len()))
    });
}

/// A pipe without a reader is as slow as the slowest disk. Lines that wait for the pipe
/// survive a crash.
#[test]
fn events_counted_before_a_crash_are_written_after_it() {
    let api = ScriptedApi::start(healthy(events(3, "USER_STATUS")));
    let folder = folder();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let path = folder.path().join("events.jsonl");
    fs::write(&path, "{\"id\":\"half of a li").expect("a file");
    let start = |log: &Path| restartable(&api, folder.path(), log);
    let program = start(&pipe);
    program.wait_for_line("first poll succeeded");
    program.signal("KILL");
    drop(program);
    let _program = start(&path);
    eventually("every line", WRITTEN, || {
        let text = fs::read_to_string(&path).expect("a log");
        let (half, rest) = text.split_once('\n').ok_or("nothing yet")?;
        assert_eq!(half, "{\"id\":\"half of a li");
        let ids: Vec<_> = rest
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .map(|event| event["id"].to_string())
            .collect();
        let expected = ["\"event-0\"", "\"event-1\"", "\"event-2\""];
        (ids == expected).then_some(()).ok_or(text)
    });
}
