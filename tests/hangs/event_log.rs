//! An event log that hangs delays nothing, and loses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::eventually::eventually;
use test_support::exporter::Exporter;

use crate::crowd::{Crowd, lines_of, scrape};

const FAILURES: &str = "nexmo_audit_event_log_failures_total";
const HANGS: &str = "the event log does not answer";

fn log_to(path: &Path) -> String {
    format!("--events.log={}", path.display())
}

/// Reads a pipe into a file, and waits until each account has a line for each event, once
/// and in order.
fn assert_all_lines_come(crowd: &Crowd, exporter: &Exporter, accounts: usize) {
    let written = crowd.path("written");
    let reader = Command::new("cat")
        .arg(crowd.path("pipe"))
        .stdout(fs::File::create(&written).expect("a file"))
        .stderr(Stdio::null())
        .spawn();
    let mut reader = reader.expect("cat");
    let all = accounts * crowd.recorded();
    eventually(&format!("{all} lines"), Duration::from_secs(20), || {
        let text = fs::read_to_string(&written).expect("a file");
        let whole = text.matches('\n').count();
        (whole >= all && text.ends_with('\n'))
            .then_some(())
            .ok_or_else(|| format!("{whole}\n{}", exporter.program.log()))
    });
    reader.kill().expect("it reads");
    let _ = reader.wait();
    let expected: Vec<_> = (0..crowd.recorded())
        .map(|id| format!("event-{id}"))
        .collect();
    let mut by_account: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (account, id) in lines_of(&written) {
        by_account.entry(account).or_default().push(id);
    }
    assert_eq!(by_account.len(), accounts);
    for (account, ids) in by_account {
        assert_eq!(ids, expected, "{account}");
    }
}

#[test]
fn a_pipe_without_a_reader_stops_no_account_of_six_hundred() {
    const ACCOUNTS: usize = 600;
    let crowd = Crowd::new();
    crowd.configure(&crowd.accounts(ACCOUNTS));
    crowd.record();
    crowd.record();
    let exporter = crowd.start(&[&log_to(&crowd.pipe()), "--poll.interval=5s"]);
    crowd.wait_until_counted(&exporter, ACCOUNTS);
    for _ in 0..2 {
        crowd.count_one_more(&exporter, ACCOUNTS);
    }
    let line = exporter.program.wait_for_line(HANGS);
    assert!(line.contains("pipe"), "{line}");
    let page = exporter.page("/");
    assert!(
        page.contains("The event log has not answered for"),
        "{page}"
    );
    let failures = exporter.value(FAILURES, &[("account", "account-7")]);
    assert!(failures >= 1.0, "{failures}");
    crowd.count_one_more(&exporter, ACCOUNTS);
    assert_eq!(exporter.status("/-/healthy"), 200);
    assert_all_lines_come(&crowd, &exporter, ACCOUNTS);
    exporter
        .program
        .wait_for_line("the event log answers again");
}

/// Loads a changed configuration, and waits until that is done for the `place`th time.
fn reload(exporter: &Exporter, place: usize) {
    exporter.program.signal("HUP");
    eventually("reload", Duration::from_secs(20), || {
        let lines = exporter.program.lines();
        let loaded = lines
            .iter()
            .filter(|line| line.contains("configuration loaded"));
        let loaded = loaded.count();
        (loaded >= place)
            .then_some(())
            .ok_or_else(|| format!("{loaded}\n{}", exporter.program.log()))
    });
}

/// Returns two configurations of the same accounts, which differ in each account.
fn configurations(crowd: &Crowd, number: usize) -> [Vec<String>; 2] {
    let filtered = |filter: &str| {
        let accounts = crowd.accounts(number).into_iter();
        accounts
            .map(|account| account.replace('}', filter))
            .collect()
    };
    [filtered("}"), filtered(", exclude_event_types: [OTHER]}")]
}

#[test]
fn a_pipe_without_a_reader_stops_no_account_however_often_accounts_change() {
    const ACCOUNTS: usize = 5;
    const RELOADS: usize = 110;
    let crowd = Crowd::new();
    let configurations = configurations(&crowd, ACCOUNTS);
    crowd.configure(&configurations[0]);
    crowd.record();
    let exporter = crowd.start(&[&log_to(&crowd.pipe())]);
    crowd.wait_until_counted(&exporter, ACCOUNTS);
    for place in 1..=RELOADS {
        crowd.configure(&configurations[place % 2]);
        reload(&exporter, place);
        scrape(&exporter);
    }
    crowd.count_one_more(&exporter, ACCOUNTS);
    assert_all_lines_come(&crowd, &exporter, ACCOUNTS);
}

/// Waits until the log has `lines` lines, and fails if one of them is there twice.
fn wait_for_lines(path: &Path, exporter: &Exporter, lines: usize) {
    eventually(&format!("{lines} lines"), Duration::from_secs(20), || {
        let written = fs::read_to_string(path).unwrap_or_default();
        let written = written.matches('\n').count();
        (written >= lines)
            .then_some(())
            .ok_or_else(|| format!("{written}\n{}", exporter.program.log()))
    });
    let written = lines_of(path);
    let once: BTreeSet<_> = written.iter().collect();
    assert_eq!((written.len(), once.len()), (lines, lines), "{written:?}");
}

#[test]
fn no_line_is_written_twice_by_reloads() {
    const ACCOUNTS: usize = 5;
    let crowd = Crowd::new();
    let path = crowd.path("events.jsonl");
    let configurations = configurations(&crowd, ACCOUNTS);
    crowd.configure(&configurations[0]);
    let exporter = crowd.start(&[&log_to(&path)]);
    for place in 1..=10 {
        crowd.count_one_more(&exporter, ACCOUNTS);
        wait_for_lines(&path, &exporter, ACCOUNTS * crowd.recorded());
        crowd.configure(&configurations[place % 2]);
        reload(&exporter, place);
    }
    crowd.count_one_more(&exporter, ACCOUNTS);
    wait_for_lines(&path, &exporter, ACCOUNTS * crowd.recorded());
}

#[test]
fn lines_of_an_account_that_was_removed_are_written_all_the_same() {
    let crowd = Crowd::new();
    let (missing, path) = (crowd.path("logs"), crowd.path("logs/events.jsonl"));
    let (stays, goes) = (crowd.account("stays"), crowd.account("goes"));
    crowd.configure(&[stays.clone(), goes.clone()]);
    crowd.record();
    let exporter = crowd.start(&[&log_to(&path)]);
    crowd.wait_until_counted(&exporter, 2);
    crowd.configure(std::slice::from_ref(&stays));
    reload(&exporter, 1);
    exporter.program.signal("KILL");
    // Neither this process nor the one before it could write the lines.
    let mut exporter = crowd.start(&[&log_to(&path)]);
    fs::create_dir(&missing).expect("a folder");
    wait_for_lines(&path, &exporter, 2);
    exporter.program.signal("TERM");
    exporter.program.wait_for_end(Duration::from_secs(20));
    // The account is configured again, and its line was written already.
    crowd.configure(&[stays, goes]);
    let exporter = crowd.start(&[&log_to(&path)]);
    crowd.count_one_more(&exporter, 2);
    wait_for_lines(&path, &exporter, 4);
}
