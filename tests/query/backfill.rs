//! `backfill`: its text and its messages. How servers read the text is tested in
//! `tests/third_party`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use test_support::audit_event::{event, with, written};
use test_support::command_output::CommandOutput;
use test_support::eventually::reached;
use test_support::program::Simulator;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, healthy, listing};

use crate::run::{prepared, run};

/// The samples of each series, in the order of the text.
type Series = BTreeMap<String, Vec<(u64, i64)>>;

/// Reads OpenMetrics text. Fails if series are interleaved.
fn series(text: &str) -> Series {
    let mut series = Series::new();
    let mut last = "";
    let body = text.strip_suffix("# EOF\n").expect("an end");
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let (name, sample) = line.rsplit_once("} ").expect("labels");
        let (value, time) = sample.split_once(' ').expect("a time");
        if name != last {
            assert!(!series.contains_key(name), "{name} is interleaved");
            last = name;
        }
        let sample = (
            value.parse().expect("a count"),
            time.parse().expect("seconds"),
        );
        series.entry(name.to_owned()).or_default().push(sample);
    }
    series
}

/// Returns a whole second, since samples have no parts of one.
fn ago(hours: i64) -> Timestamp {
    let then = Timestamp::now() - SignedDuration::from_hours(hours);
    Timestamp::from_second(then.as_second()).expect("a time")
}

/// Makes an event that was created so many hours ago.
fn old(id: &str, event_type: &str, hours: i64) -> serde_json::Value {
    with(
        event(id, event_type),
        "created_at",
        json!(written(ago(hours))),
    )
}

fn succeeded(done: &CommandOutput) -> Series {
    assert_eq!(done.status, 0, "{}", done.errors);
    series(&done.out)
}

#[test]
fn every_event_is_in_the_series_of_its_labels() {
    let simulator = Simulator::start(400);
    let url = simulator.base_url();
    let (from, to) = (ago(20).to_string(), ago(4).to_string());
    let range = [&format!("--from={from}")[..], &format!("--to={to}")];
    let listed = [&["events", "list", "-ojson"], &range[..]].concat();
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for event in run(&url, &listed).events() {
        let text = |name: &str| event[name].as_str().unwrap_or("unknown").to_owned();
        let (kind, source) = (text("event_type"), text("source"));
        let country = text("source_country");
        let labels = format!("event_type={kind:?},source={source:?},source_country={country:?}");
        *expected
            .entry(format!("nexmo_audit_events_total{{{labels}"))
            .or_default() += 1;
        let name = format!("nexmo_audit_events_by_type_total{{event_type={kind:?}");
        *expected.entry(name).or_default() += 1;
    }
    let done = run(&url, &[&["backfill", "--step=5m"], &range[..]].concat());
    let shown = succeeded(&done);
    let end = to.parse::<Timestamp>().expect("a time").as_second();
    for (name, samples) in &shown {
        assert_eq!(samples[0].0, 0, "{name}");
        let pairs: Vec<_> = samples.windows(2).map(|pair| (pair[0], pair[1])).collect();
        assert!(
            pairs
                .iter()
                .all(|(a, b)| a.0 <= b.0 && a.1 < b.1 && b.1 - a.1 <= 300)
        );
        let (count, last) = *samples.last().expect("a sample");
        assert_eq!(last, end);
        assert_eq!(count, expected.remove(name).unwrap_or(0), "{name}");
    }
    assert!(expected.is_empty(), "{expected:?}");
    assert!(
        done.errors
            .contains("promtool tsdb create-blocks-from openmetrics FILE")
    );
}

#[test]
fn recent_events_are_left_to_the_server() {
    let events = vec![old("old", "APP_CREATE", 5), old("new", "APP_DELETE", 1)];
    let api = ScriptedApi::start(healthy(events));
    let labels = ["--label=job=audit", "--label=instance=a\"b"];
    let arguments = [&["backfill", "--from=6h"], &labels[..]].concat();
    let shown = succeeded(&run(&api.base_url(), &arguments));
    let latest = ago(3).as_second();
    let of = |kind: &str| {
        let labels = "source=\"CD\",source_country=\"GB\",job=\"audit\",instance=\"a\\\"b\"";
        let name = format!("nexmo_audit_events_total{{event_type={kind:?},{labels}");
        shown
            .get(&name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", shown.keys()))
    };
    assert!(shown.values().flatten().all(|(_, time)| *time <= latest));
    assert_eq!(of("APP_CREATE").last().map(|last| last.0), Some(1));
    // A server that continues finds the first event as a rise from 0.
    assert_eq!(
        of("APP_DELETE")
            .iter()
            .map(|last| last.0)
            .collect::<Vec<_>>(),
        [0]
    );
    for (to, extra) in [
        ("2h", None),
        ("now", None),
        ("2100-01-01", Some("--allow-recent")),
    ] {
        let to = format!("--to={to}");
        let arguments = ["backfill", "--from=6h", &to].into_iter().chain(extra);
        let done = run(&api.base_url(), &arguments.collect::<Vec<_>>());
        assert_eq!((done.status, &*done.out), (2, ""), "{to}");
        assert!(done.errors.contains("--to must not be"), "{}", done.errors);
    }
    let done = run(
        &api.base_url(),
        &["backfill", "--from=6h", "--to=now", "--allow-recent"],
    );
    assert!(succeeded(&done).len() > 2);
}

#[test]
fn nothing_is_written_before_all_is_read() {
    let failing = listing(|request| {
        if request.page() == 1 {
            return Answer::page(&[old("a", "APP_CREATE", 5)], json!(200), json!(2));
        }
        Answer::error(403, "No.")
    });
    let api = ScriptedApi::start(failing);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("history");
    fs::write(&file, "as it was").expect("a file");
    let to_file = || {
        let output = format!("--output={}", file.display());
        run(&api.base_url(), &["backfill", "--from=6h", &output])
    };
    let done = to_file();
    assert_eq!((done.status, &*done.out), (1, ""));
    assert_eq!(fs::read_to_string(&file).expect("a file"), "as it was");
    api.follow(healthy(vec![old("a", "APP_CREATE", 5)]));
    let done = to_file();
    assert_eq!((done.status, &*done.out), (0, ""), "{}", done.errors);
    let text = fs::read_to_string(&file).expect("a file");
    assert!(series(&text).len() > 1);
    assert!(done.errors.contains("1 events from"), "{}", done.errors);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    let done = run(
        &api.base_url(),
        &["backfill", "--from=6h", "--output=/no/such/folder/file"],
    );
    assert_eq!(done.status, 1);
    assert!(
        done.errors
            .contains("/no/such/folder/file cannot be written"),
        "{}",
        done.errors
    );
}

/// Runs `backfill` of one event into a path.
fn fill(api: &ScriptedApi, path: &Path) -> CommandOutput {
    let output = format!("--output={}", path.display());
    run(&api.base_url(), &["backfill", "--from=6h", &output])
}

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo").success());
}

#[test]
fn a_pipe_is_written_and_not_replaced() {
    let api = ScriptedApi::start(healthy(vec![old("a", "APP_CREATE", 5)]));
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    let reader = {
        let pipe = pipe.clone();
        thread::spawn(move || fs::read_to_string(pipe).expect("text"))
    };
    let done = fill(&api, &pipe);
    assert_eq!(done.status, 0, "{}", done.errors);
    let found = fs::symlink_metadata(&pipe).expect("the pipe").file_type();
    assert!(found.is_fifo());
    assert!(series(&reader.join().expect("a reader")).len() > 1);
    // A device is not replaced by a file either.
    let done = fill(&api, Path::new("/dev/full"));
    assert_eq!(done.status, 1);
    assert!(done.errors.contains("No space left"), "{}", done.errors);
}

#[test]
fn a_link_stays_and_the_file_that_it_leads_to_is_replaced() {
    let api = ScriptedApi::start(healthy(vec![old("a", "APP_CREATE", 5)]));
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("inner")).expect("a folder");
    let (file, link) = (folder.path().join("inner/file"), folder.path().join("link"));
    symlink("inner/file", &link).expect("a link");
    // There is no file at first, and then there is one.
    for _ in 0..2 {
        let done = fill(&api, &link);
        assert_eq!(done.status, 0, "{}", done.errors);
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        assert!(series(&fs::read_to_string(&file).expect("text")).len() > 1);
        fs::write(&file, "").expect("a file");
    }
}

/// The history is longer than a pipe holds.
#[test]
fn a_signal_ends_a_command_whose_reader_does_not_read() {
    let api = ScriptedApi::start(healthy(vec![old("a", "APP_CREATE", 23)]));
    let mut command = prepared(&api.base_url(), &["backfill", "--from=24h"]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program starts");
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0]).expect("the beginning");
    let kill = format!("kill -TERM {}", child.id());
    let killed = Command::new("sh").args(["-c", &kill]).status();
    assert!(killed.expect("a shell").success());
    let ended = reached(Duration::from_secs(20), || {
        child.try_wait().expect("a status").is_some()
    });
    let _ = child.kill();
    let status = child.wait().expect("a status");
    assert!(ended && status.code() == Some(1), "{status:?}");
}

#[test]
fn a_directory_has_a_file_for_each_day() {
    let events = vec![old("a", "APP_CREATE", 60), old("b", "APP_CREATE", 30)];
    let api = ScriptedApi::start(healthy(events));
    let folder = tempfile::tempdir().expect("a folder");
    let output = format!("--output={}/history/", folder.path().display());
    let range = [format!("--from={}", ago(70)), format!("--to={}", ago(10))];
    let range = ["backfill", &range[0], &range[1]];
    let whole = succeeded(&run(&api.base_url(), &range));
    let done = run(&api.base_url(), &[&range[..], &[&output]].concat());
    assert_eq!((done.status, &*done.out), (0, ""), "{}", done.errors);
    let files = fs::read_dir(folder.path().join("history")).expect("a folder");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!((3..=4).contains(&files.len()), "{files:?}");
    let mut joined = Series::new();
    for file in &files {
        let day = file
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        for (name, samples) in series(&fs::read_to_string(file).expect("a file")) {
            for (_, time) in &samples {
                let time = Timestamp::from_second(*time).expect("a time").to_string();
                assert!(time.starts_with(&day), "{time} in {day}");
            }
            joined.entry(name).or_default().extend(samples);
        }
    }
    let counts = |series: &Series| -> Vec<(String, Vec<u64>)> {
        let counts = |samples: &Vec<(u64, i64)>| samples.iter().map(|sample| sample.0).collect();
        let of = |(name, samples): (&String, &Vec<_>)| (name.clone(), counts(samples));
        series.iter().map(of).collect()
    };
    assert_eq!(counts(&joined), counts(&whole));
}

#[test]
fn missing_and_uncertain_events_are_reported() {
    let timeless = with(event("b", "APP_CREATE"), "created_at", json!("soon"));
    let events = [
        old("a", "APP_CREATE", 5),
        timeless,
        old("c", "APP_DELETE", 5),
    ];
    let api = ScriptedApi::start(move |request| {
        if request.is_types() {
            return Answer::error(404, "No types here.");
        }
        match request.page() {
            1 => Answer::page(&events, json!(5), json!(1)),
            _ => Answer::page(&[], json!(5), json!(1)),
        }
    });
    let done = run(
        &api.base_url(),
        &["backfill", "--from=6h", "--metrics.max-series=1"],
    );
    // What was found is written all the same.
    assert_eq!(done.status, 1, "{}", done.errors);
    let shown = series(&done.out);
    assert_eq!(shown.len(), 4, "{shown:?}");
    assert!(
        shown
            .keys()
            .any(|name| name.contains("event_type=\"other\",source=\"other\""))
    );
    for said in [
        "(2 missing)",
        "timeless=1",
        "overflow=1",
        "event types could not be read",
    ] {
        assert!(done.errors.contains(said), "{said}: {}", done.errors);
    }
}

#[test]
fn all_problems_of_the_settings_are_reported_at_once() {
    let cases: [(&[&str], &[&str]); 5] = [
        (
            &[
                "--from=soon",
                "--step=1.5s",
                "--label=1=a",
                "--metrics.max-series=0",
            ],
            &["--from ", "--step ", "--label ", "--metrics.max-series "],
        ),
        (
            &["--from=1h"],
            &["--from must be before --to, which is 3h unless it is given"],
        ),
        (&["--from=6h", "--label=source=a"], &["--label source"]),
        (&["--from=6h", "--label=a=b", "--label=a=c"], &["--label a"]),
        (&["--from=6h", "--label=__a=b"], &["--label "]),
    ];
    for (arguments, says) in cases {
        let done = run("http://127.0.0.1:1", &[&["backfill"], arguments].concat());
        assert_eq!((done.status, &*done.out), (2, ""));
        for said in says {
            assert!(
                done.errors.contains(&format!("\n  {said}")),
                "{said}: {}",
                done.errors
            );
        }
    }
    assert_eq!(run("http://127.0.0.1:1", &["backfill"]).status, 2);
}
