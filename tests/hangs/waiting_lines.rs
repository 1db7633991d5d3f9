//! An event log that hangs for so long that more lines wait than may: those beyond the bound
//! are lost, which is counted and said, and counting goes on.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use serde_json::Value;
use test_support::audit_event::written;
use test_support::eventually::eventually;
use test_support::exporter::{Exporter, is};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{Request, ScriptedApi, listing};

/// The bound that the documents name.
const WAITING: usize = 100_000;
const BEYOND: usize = 300;
/// The time in which all events are counted or written, on a busy machine.
const DONE: Duration = Duration::from_mins(3);
const PENDING: &str = "nexmo_audit_event_log_pending_lines";
const FAILURES: &str = "nexmo_audit_event_log_failures_total";

fn as_float(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("not so many"))
}

/// The events of an API, by their seconds of creation, oldest first. Each has only what an
/// event needs, so that pages are made and read quickly.
#[derive(Clone)]
struct Events(Vec<i64>);

impl Events {
    /// Makes events that are older than the lookback, and younger than the start.
    fn new() -> Self {
        let begun = Timestamp::now().as_second() - 3000;
        let events = i64::try_from(WAITING + BEYOND).expect("not so many");
        Self(
            (0..events)
                .map(|event| begun + event * 1800 / events)
                .collect(),
        )
    }

    fn page(&self, request: &Request) -> Answer {
        let until = |second: i64| self.0.partition_point(|created| *created < second);
        let first = bound(request, "date_from").map_or(0, until);
        let end = bound(request, "date_to").map_or(self.0.len(), |to| until(to + 1));
        let total = end.saturating_sub(first);
        let size = request.parameter("size").and_then(|size| size.parse().ok());
        let size: usize = size.expect("a size");
        let page = usize::try_from(request.page()).expect("a page");
        let events = (first..end).rev().skip(size * (page - 1)).take(size);
        let events: Vec<_> = events.map(|event| self.event(event)).collect();
        let pages = total.div_ceil(size);
        let body = format!(
            r#"{{"_embedded":{{"events":[{}]}},"page":{{"size":{size},"totalElements":{total},"totalPages":{pages}}}}}"#,
            events.join(",")
        );
        Answer::new(200, body)
    }

    fn event(&self, event: usize) -> String {
        let created_at = Timestamp::from_second(self.0[event]).expect("a time");
        let created_at = written(created_at);
        format!(
            r#"{{"id":"event-{event}","event_type":"NUMBER_ASSIGN","created_at":"{created_at}"}}"#
        )
    }
}

fn bound(request: &Request, name: &str) -> Option<i64> {
    let time: DateTime = request.parameter(name)?.parse().expect("a time");
    Some(Offset::UTC.to_timestamp(time).expect("a time").as_second())
}

fn follow(api: &ScriptedApi, events: Events) {
    api.follow(listing(move |request| events.page(request)));
}

fn wait_until_counted(exporter: &Exporter, events: usize) {
    eventually(&format!("{events} events"), DONE, || {
        let counted = exporter.counted();
        is(as_float(events))(counted)
            .then_some(())
            .ok_or_else(|| format!("{counted}\n{}", exporter.program.log()))
    });
}

/// Waits until a file has so many lines, and returns the ids of their events.
fn ids(path: &Path, lines: usize) -> Vec<String> {
    eventually(&format!("{lines} lines"), DONE, || {
        let text = fs::read_to_string(path).expect("a file");
        let whole = text.matches('\n').count();
        let is_whole = whole >= lines && text.ends_with('\n');
        is_whole
            .then(|| text.lines().map(id).collect())
            .ok_or_else(|| whole.to_string())
    })
}

fn id(line: &str) -> String {
    let event: Value = serde_json::from_str(line).expect("a line of JSON");
    event["id"].as_str().expect("an id").to_owned()
}

#[test]
fn lines_beyond_the_bound_are_lost_and_counted_and_later_ones_are_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let (pipe, log) = (folder.path().join("pipe"), folder.path().join("log"));
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let mut events = Events::new();
    let api = ScriptedApi::start(|_| panic!("the exporter runs later"));
    follow(&api, events.clone());
    let events_log = format!("--events.log={}", pipe.display());
    let exporter = Exporter::polling_with(&api, &[&events_log, "--log.level=info"]);
    wait_until_counted(&exporter, WAITING + BEYOND);
    exporter.wait_for(PENDING, &[], is(as_float(WAITING)));
    // The hanging log is counted too.
    let failures = exporter.value(FAILURES, &[]);
    let lost = as_float(BEYOND);
    assert!((lost..lost + 5.0).contains(&failures), "{failures}");
    exporter
        .program
        .wait_for_line("the event log has lost lines, since as many wait in the state as may");
    assert_eq!(exporter.status("/-/healthy"), 200);

    let reader = Command::new("cat")
        .arg(&pipe)
        .stdout(File::create(&log).expect("a file"))
        .stderr(Stdio::null())
        .spawn();
    let mut reader = reader.expect("cat");
    let kept = ids(&log, WAITING);
    assert_eq!(kept.iter().collect::<BTreeSet<_>>().len(), WAITING);
    exporter.wait_for(PENDING, &[], is(0.0));
    // Lines are written again, and the gap stays.
    events.0.push(Timestamp::now().as_second());
    follow(&api, events);
    let all = ids(&log, WAITING + 1);
    assert_eq!(all.len(), WAITING + 1);
    assert_eq!(all[WAITING], format!("event-{}", WAITING + BEYOND));
    let later = exporter.value(FAILURES, &[]);
    assert!(later < lost + 10.0, "{later}");
    reader.kill().expect("it reads");
    let _ = reader.wait();
}
