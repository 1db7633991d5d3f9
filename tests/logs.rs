//! The log: both formats can be read by machines, and each change of state is one line.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use test_support::audit_event::events;
use test_support::exporter::Exporter;
use test_support::scripted_answer::Answer;
use test_support::scripted_api::{ScriptedApi, healthy, listing};

type Line = BTreeMap<String, String>;

/// Parses a line of logfmt: `key=value` or `key="value"`.
fn logfmt(line: &str) -> Line {
    let mut rest = line;
    let mut fields = Line::new();
    while !rest.is_empty() {
        let (key, after) = rest
            .split_once('=')
            .unwrap_or_else(|| panic!("no logfmt: {line}"));
        assert!(
            !key.is_empty() && !key.contains([' ', '"']),
            "{key:?}: {line}"
        );
        let (value, after) = value(after).unwrap_or_else(|| panic!("no logfmt: {line}"));
        assert_eq!(
            fields.insert(key.to_owned(), value),
            None,
            "{key} twice: {line}"
        );
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    fields
}

fn value(text: &str) -> Option<(String, &str)> {
    if !text.starts_with('"') {
        let end = text.find(' ').unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (!value.contains(['"', '='])).then(|| (value.to_owned(), rest));
    }
    let mut quoted = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = quoted.next()?.ok()?;
    Some((value, &text[quoted.byte_offset()..]))
}

fn json(line: &str) -> Line {
    let parsed: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    let fields = parsed.as_object().expect("an object").iter();
    fields
        .map(|(key, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (key.clone(), text)
        })
        .collect()
}

/// Polls fail, succeed, fail for two reasons and succeed, several times each.
fn up_and_down(settings: &[&str]) -> Vec<String> {
    // The waits after failures begin at the interval and double.
    let settings = [&["--poll.interval=20ms"], settings].concat();
    let api = ScriptedApi::start(listing(|_| Answer::error(500, "Say \"please\"")));
    let mut exporter = Exporter::polling_with(&api, &settings);
    exporter.wait_for_polls(3);
    api.follow(healthy(events(2, "A")));
    exporter.wait_until_up();
    exporter.wait_for_polls(3);
    api.follow(listing(|_| Answer::error(503, "Busy")));
    exporter.wait_for_polls(2);
    api.follow(listing(|_| Answer::new(200, "<html>")));
    exporter.wait_for_polls(2);
    api.follow(listing(|_| Answer::error(502, "Busy")));
    exporter.wait_for_polls(1);
    api.follow(healthy(events(3, "A")));
    exporter.wait_until_up();
    exporter.wait_for_polls(3);
    exporter.program.signal("TERM");
    exporter.program.wait_for_line("shutting down");
    exporter
        .program
        .wait_for_end(std::time::Duration::from_secs(10));
    exporter.program.lines()
}

/// The lines of [`up_and_down`] at level info: the level and the beginning of the line.
const CHANGES: [(&str, &str); 8] = [
    ("info", "started"),
    ("info", "listening"),
    ("info", "counting begins"),
    ("warn", "polls fail"),
    ("info", "first poll succeeded"),
    ("warn", "polls fail"),
    ("warn", "polls fail"),
    ("info", "polls succeed again"),
];

fn tells_each_change_once(lines: &[Line]) {
    let expected = CHANGES.iter().chain(&[("info", "shutting down")]);
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line["level"].to_lowercase(), &*line["message"]))
        .collect();
    assert_eq!(told.len(), CHANGES.len() + 1, "{told:#?}");
    for ((level, message), (expected_level, begins)) in told.iter().zip(expected) {
        assert_eq!(level, expected_level, "{message}");
        assert!(message.starts_with(begins), "{message:?} for {begins:?}");
    }
    let failing = &lines[3];
    assert_eq!(failing["reason"], "status");
    let error = &failing["error"];
    assert!(error.contains("500: \"Say \\\"please\\\"\""), "{error}");
    assert_eq!(lines[6]["reason"], "body");
    assert_eq!(lines[4]["counted"], "2");
    assert_eq!(lines[7]["counted"], "1");
}

/// Each line has its time as `2026-11-23T10:00:00.000Z`, and no module path.
fn are_stamped_in_milliseconds(lines: &[Line], key: &str) {
    for line in lines {
        let time = &line[key];
        assert_eq!(time.len(), "2026-11-23T10:00:00.000Z".len(), "{time}");
        time.parse::<jiff::Timestamp>().expect(time);
        assert!(!line.contains_key("target"), "{line:?}");
    }
}

#[test]
fn logfmt_has_a_line_for_each_change_and_none_for_a_poll() {
    let lines = up_and_down(&["--log.level=info"]);
    let lines: Vec<_> = lines.iter().map(|line| logfmt(line)).collect();
    tells_each_change_once(&lines);
    are_stamped_in_milliseconds(&lines, "ts");
}

#[test]
fn json_has_the_same_lines() {
    let lines = up_and_down(&["--log.level=info", "--log.format=json"]);
    let lines: Vec<_> = lines.iter().map(|line| json(line)).collect();
    tells_each_change_once(&lines);
    are_stamped_in_milliseconds(&lines, "timestamp");
}

#[test]
fn debug_has_a_line_for_each_poll() {
    let lines = up_and_down(&["--log.level=debug"]);
    let lines: Vec<_> = lines.iter().map(|line| logfmt(line)).collect();
    let begins = |words: &str| {
        let of = |line: &&Line| line["message"].starts_with(words);
        lines.iter().filter(of).count()
    };
    assert!(begins("poll succeeded") >= 6, "{lines:#?}");
    // The first failure for a reason is a change of state, and is logged as one.
    assert_eq!(begins("polls fail"), 3);
    assert!(begins("poll failed again") >= 4, "{lines:#?}");
    let others = lines.len() - begins("poll");
    assert_eq!(others, CHANGES.len() + 1 - 4, "{lines:#?}");
}

/// Durations are numbers of seconds, to the millisecond, in fields that name the unit.
fn durations_are_in_seconds(lines: &[Line]) {
    let mut found = BTreeSet::new();
    for (key, value) in lines.iter().flatten() {
        if let Some(name) = key.strip_suffix("_seconds") {
            found.insert(name);
            let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
            let digits = [whole, decimals].concat();
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            assert!(is_number && decimals.len() <= 3, "{key}={value}");
        }
        let unit = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let has_unit = unit.len() < value.len() && ["ns", "µs", "ms", "s"].contains(&unit);
        assert!(!has_unit, "{key}={value}");
    }
    assert_eq!(found, BTreeSet::from(["interval", "next_in", "took"]));
}

#[test]
fn durations_are_in_seconds_in_both_formats() {
    let lines = up_and_down(&["--log.level=trace"]);
    let lines: Vec<_> = lines.iter().map(|line| logfmt(line)).collect();
    durations_are_in_seconds(&lines);
    let lines = up_and_down(&["--log.level=trace", "--log.format=json"]);
    let lines: Vec<_> = lines.iter().map(|line| json(line)).collect();
    durations_are_in_seconds(&lines);
}

#[test]
fn each_problem_of_a_reload_has_a_line_of_its_own() {
    let api = ScriptedApi::start(healthy(events(1, "A")));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.yml");
    std::fs::write(&file, "poll: {lookback: 1m}").expect("a file");
    let setting = format!("--config.file={}", file.display());
    let exporter = Exporter::polling_with(&api, &[&setting]);
    exporter.wait_until_up();
    std::fs::write(&file, "poll: {lookback: soon, reconcile_interval: later}").expect("a file");
    exporter.program.signal("HUP");
    for problem in ["poll.lookback", "poll.reconcile_interval"] {
        let line = exporter.program.wait_for_line(problem);
        let line = logfmt(&line);
        assert!(line["message"].starts_with("the configuration could not"));
        assert!(line["error"].contains(problem) && !line["error"].contains('\n'));
    }
}
