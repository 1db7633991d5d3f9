//! `state import`: an account whole, or nothing.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use audit_core::gate::{Gate, SavedGate, ScrapeInterval};
use audit_core::window::Clocks;
use nexmo_audit_exporter::store::Store;
use test_support::eventually::reached;
use test_support::store::{
    KEY, State, at, directory, history_in, labels, load_account, numbered::Numbered, open,
};

use crate::exported::{Exported, import, replaced};
use crate::run::{prepared, state};
use crate::states::{BUSY, READING, count, two_accounts};

#[test]
fn an_account_goes_on_where_the_other_state_left_it() {
    let exported = Exported::new(BUSY);
    let file = exported.write(&exported.text);
    let new = exported.new_state();
    let said = import(&new, &file);
    let expected = "the account with the API key busy… was imported as it was at 2";
    assert!(said.starts_with(expected), "{said}");
    let (mut old, mut imported) = (open(exported.folder.path()), open(&new));
    let load = |store: &mut Store| State::load(store, BUSY).expect("the account");
    assert_eq!(load(&mut imported), load(&mut old));
    let lines = |store: &mut Store| store.lines(BUSY, 0, 1 << 20).expect("the lines");
    assert_eq!(lines(&mut imported).len(), 2);
    assert_eq!(lines(&mut imported), lines(&mut old));
    let gate = |store: &mut Store| store.load_gate(at(100)).expect("the gate");
    assert_eq!(gate(&mut imported), gate(&mut old));
    assert_eq!(State::load(&mut imported, READING), None);
}

#[test]
fn the_same_export_again_changes_nothing() {
    let exported = Exported::new(BUSY);
    let file = exported.write(&exported.text);
    let new = exported.new_state();
    import(&new, &file);
    let before = state(&new, &["show"]).output();
    for _ in 0..2 {
        let said = import(&new, &file);
        assert!(said.ends_with("already; nothing was changed"), "{said}");
    }
    assert_eq!(state(&new, &["show"]).output(), before);
}

#[test]
fn an_account_can_be_taken_in_under_another_key_and_from_a_pipe() {
    let exported = Exported::new(BUSY);
    let new = exported.new_state();
    let mut command = prepared(&new, &["import", "-", "--as=other999"]);
    let mut importing = command
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut input = importing.stdin.take().expect("a pipe");
    input
        .write_all(exported.text.as_bytes())
        .expect("it is read");
    drop(input);
    let output = importing.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
    let mut store = open(&new);
    assert_eq!(State::load(&mut store, BUSY), None);
    let imported = State::load(&mut store, "other999").expect("the account");
    assert_eq!(
        Some(imported),
        State::load(&mut open(exported.folder.path()), BUSY)
    );
}

#[test]
fn other_accounts_and_the_gate_of_a_state_stay_as_they_are() {
    let exported = Exported::new(READING);
    let file = exported.write(&exported.text);
    let other = directory();
    let history = history_in(other.path(), 21);
    let gate = open(other.path()).load_gate(at(21)).expect("the gate");
    import(other.path(), &file);
    let mut store = open(other.path());
    assert!(history.is_in(&mut store));
    assert_eq!(store.load_gate(at(21)).expect("the gate"), gate);
    assert!(State::load(&mut store, READING).is_some());
    // The exporter stores further commits of both.
    let mut history = Numbered::resume(&mut store);
    history.commit(&mut store).expect("the commit is stored");
    assert!(history.is_in(&mut store));
}

/// Each state has a clock of waits of its own, and how long a count has waited is kept.
#[test]
fn a_wait_goes_on_by_the_clock_of_the_state() {
    let exported = Exported::new(BUSY);
    let file = exported.write(&exported.text);
    let other = directory();
    let mut commit = Numbered::new().prepare();
    commit.1.was_scraped = true;
    for (own, since) in [(500, 315), (185, 0), (100, 0), (3000, 2815)] {
        commit.1.wait_time = Duration::from_secs(own);
        let mut store = open(other.path());
        let written = store.write(&[(KEY, &commit.0)], Some(&commit.1), at(1));
        written.expect("it is written");
        drop(store);
        import(other.path(), &file);
        let account = format!("--account={BUSY}");
        let text = state(other.path(), &["export", &account]).output();
        let waits = format!("\"waits_since_nanoseconds\":{}", since * 1_000_000_000_u64);
        assert_eq!(text.matches(&waits).count(), 4, "{own}: {text}");
        let said = import(other.path(), &file);
        assert!(said.ends_with("already; nothing was changed"), "{said}");
    }
}

#[test]
fn a_later_state_of_the_account_takes_the_place_of_an_earlier_one() {
    let source = directory();
    let mut history = history_in(source.path(), 40);
    let target = directory();
    let export = |path: &Path| state(path, &["export"]).output();
    let file = source.path().join("export.jsonl");
    fs::write(&file, export(source.path())).expect("a file");
    import(target.path(), &file);
    // Ids are forgotten meanwhile.
    let mut store = open(source.path());
    for _ in 0..100 {
        history.commit(&mut store).expect("the commit is stored");
    }
    drop(store);
    fs::write(&file, export(source.path())).expect("a file");
    let said = import(target.path(), &file);
    assert!(
        said.ends_with("in place of an earlier state of it"),
        "{said}"
    );
    assert_eq!(
        State::load(&mut open(target.path()), KEY),
        State::load(&mut open(source.path()), KEY)
    );
}

/// Everything in which a stored account can be ahead of a file.
#[test]
fn what_would_fall_is_refused_by_name_and_nothing_changes() {
    let exported = Exported::new(BUSY);
    let path = exported.folder.path();
    let old = exported.write(&exported.text);
    let new = exported.new_state();
    import(&new, &old);
    // The account goes on in the new state.
    let mut store = open(&new);
    let mut account = load_account(&mut store, BUSY).expect("the account");
    count(&mut account, 5, &labels("USER_LOGIN", "GB"), at(95));
    count(&mut account, 6, &labels("USER_LOGIN", "DE"), at(95));
    account.window.complete_sweep(Clocks {
        api: at(120),
        local: at(120),
    });
    let gate = Gate::new(ScrapeInterval::Off, &SavedGate::default());
    let commit = account.prepare(&gate, Duration::ZERO);
    store
        .write(&[(BUSY, &commit)], None, at(120))
        .expect("it is written");
    drop(store);
    let before = records(&state(&new, &["export"]).output());

    let said = state(&new, &["import", &old.display().to_string()]).complaint(1, path);
    let expected = r#"DIR/export.jsonl: nothing was imported, since the account with the API key busy… is further on in the state than in the file:
  the state is read up to 2026-11-20T00:02:00Z, and the file is read up to 2026-11-20T00:01:30Z
  4 counters would fall: nexmo_audit_events_total{event_type="ACCOUNT_SECRET_DELETE",source="CD",source_country="GB"}, nexmo_audit_events_total{event_type="USER_LOGIN",source="CD",source_country="GB"}, nexmo_audit_events_by_type_total{event_type="ACCOUNT_SECRET_DELETE"}, nexmo_audit_events_by_type_total{event_type="USER_LOGIN"}
  1 counters are not in the file: nexmo_audit_events_total{event_type="USER_LOGIN",source="CD",source_country="DE"}
  2 events were counted here that the file does not know
Go on with the state as it is, or import into another --storage.path. To go back to the file all the same, move state.redb away first; servers then see counters fall."#;
    assert_eq!(said, expected);
    assert_eq!(records(&state(&new, &["export"]).output()), before);

    let unread = replaced(
        &exported.text,
        2,
        r#""caught_up":true"#,
        r#""caught_up":false"#,
    );
    let unread = replaced(
        &unread,
        2,
        r#""watermark":"2026-11-20T00:01:30Z""#,
        r#""watermark":null"#,
    );
    let fewer = replaced(&unread, 2, r#""gate_timeouts":5"#, r#""gate_timeouts":4"#);
    let file = exported.write(&fewer);
    let said = state(&new, &["import", &file.display().to_string()]).complaint(1, path);
    for expected in [
        "the state has counted all of the history, and the file has not",
        "5 counters would fall: nexmo_audit_gate_timeouts_total, ",
        "and the file has read nothing",
    ] {
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn an_import_that_is_killed_leaves_the_state_as_it_was() {
    let source = directory();
    history_in(source.path(), 200);
    let text = state(source.path(), &["export"]).output();
    let target = directory();
    two_accounts(target.path());
    let busy = format!("--account={BUSY}");
    let account = |path: &Path| records(&state(path, &["export", &busy]).output());
    let before = account(target.path());
    let mut command = prepared(target.path(), &["import", "-", &format!("--as={BUSY}")]);
    let mut importing = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut input = importing.stdin.take().expect("a pipe");
    // More than a pipe holds, so that the import has begun to write; it waits for the rest.
    let half = text.len() / 2;
    assert!(half > 100 << 10, "{half} bytes");
    input
        .write_all(&text.as_bytes()[..half])
        .expect("it is read");
    let in_use = || state(target.path(), &["show"]).status == 1;
    assert!(reached(Duration::from_secs(20), in_use));
    importing.kill().expect("it can be killed");
    importing.wait().expect("it ends");
    assert_eq!(account(target.path()), before);
}

/// Returns the records of an export, without those that depend on its time.
fn records(export: &str) -> Vec<String> {
    let records: Vec<String> = export.lines().map(str::to_owned).collect();
    records[1..records.len() - 1].to_vec()
}
