//! `state show`: whatever it finds, it says so and changes nothing.

use std::fs::{self, Permissions};
use std::io::Read as _;
use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
use std::path::Path;

use redb::{Database, TableDefinition};
use test_support::audit_event::events;
use test_support::command_output::CommandOutput;
use test_support::exporter::Exporter;
use test_support::program::API_KEY;
use test_support::scripted_api::{ScriptedApi, healthy};
use test_support::store::{KEY, contents, directory, file_in, history_in};

use crate::exported::Exported;
use crate::run::{prepared, state};
use crate::states::{BUSY, READING, config_file, two_accounts};

#[test]
fn a_missing_state_is_reported_and_not_created() {
    let directory = directory();
    let path = directory.path();
    let expected = "there is no state at DIR/state.redb: check --storage.path, or the config \
                    file that sets it";
    for command in ["show", "export"] {
        assert_eq!(state(path, &[command]).complaint(1, path), expected);
    }
    assert_eq!(contents(path).len(), 0);
    let missing = path.join("data");
    let said = state(&missing, &["show"]).complaint(1, path);
    assert!(
        said.starts_with("there is no state at DIR/data/state.redb"),
        "{said}"
    );
    assert_eq!(contents(path).len(), 0);
}

#[test]
fn a_state_in_use_is_reported_with_its_exporter_and_can_be_read_after_a_crash() {
    let directory = directory();
    let path = directory.path();
    let api = ScriptedApi::start(healthy(events(3, "USER_STATUS")));
    let storage = format!("--storage.path={}", path.display());
    let exporter = Exporter::polling_with(&api, &[&storage]);
    exporter.wait_until_up();
    let expected = format!(
        "DIR/state.redb is in use by nexmo-audit-exporter (pid {}), and can be read only while \
         nothing uses it: stop that process first; while an exporter runs, its own page and \
         /metrics show its counts",
        exporter.program.id()
    );
    let export = directory.path().join("export.jsonl");
    let other = Exported::new(BUSY);
    fs::write(&export, &other.text).expect("a file");
    let export = export.display().to_string();
    for command in [&["show"][..], &["export"], &["import", &export]] {
        assert_eq!(state(path, command).complaint(1, path), expected);
    }
    // SIGKILL leaves a file that was not closed.
    drop(exporter);
    let before = contents(path);
    let shown = state(path, &["show"]).output();
    assert!(shown.contains("with 3 events, 3 of them shown"), "{shown}");
    assert!(shown.contains("none has ever scraped"), "{shown}");
    assert!(!shown.contains(API_KEY), "{shown}");
    assert!(contents(path) == before, "the file was changed");
}

const FORMAT_1: &[u8] = include_bytes!("../fixtures/state-format-1.redb.gz");
const FORMAT_2: &[u8] = include_bytes!("../fixtures/state-format-2.redb.gz");
const FORMAT_3: &[u8] = include_bytes!("../fixtures/state-format-3.redb.gz");

#[test]
fn a_state_of_an_older_format_is_shown_and_not_upgraded() {
    for (format, gzip, counted, shown_of) in [
        (1, FORMAT_1, 63, 60),
        (2, FORMAT_2, 60, 60),
        (3, FORMAT_3, 58, 58),
    ] {
        let directory = directory();
        let path = directory.path();
        let mut bytes = Vec::new();
        let mut unpacked = flate2::read::GzDecoder::new(gzip);
        unpacked.read_to_end(&mut bytes).expect("gzip");
        fs::write(file_in(path), &bytes).expect("a file");
        let shown = state(path, &["show"]).output();
        assert!(
            shown.contains(&format!("  format        {format}, from version")),
            "{shown}"
        );
        let events = format!("with {counted} events, {shown_of} of them shown");
        assert_eq!(shown.matches(&events).count(), 2, "{shown}");
        let exported = state(path, &["export"]).output();
        assert!(exported.contains(&format!(r#""state_format":{format}"#)));
        assert!(
            fs::read(file_in(path)).expect("the file") == bytes,
            "it was changed"
        );
    }
}

/// The file is opened for reading alone, so the right to read it is enough.
#[test]
fn a_state_that_may_only_be_read_is_shown() {
    let directory = directory();
    let path = directory.path();
    history_in(path, 20);
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("rights can be set");
    };
    allow(&file_in(path), 0o444);
    allow(path, 0o555);
    let unprivileged = |arguments: &[&str]| {
        let mut command = prepared(path, arguments);
        command.current_dir("/");
        if is_root() {
            command.uid(65534).gid(65534);
        }
        CommandOutput::of(&mut command)
    };
    let shown = unprivileged(&["show"]).output();
    assert!(shown.contains("  writes        20\n"), "{shown}");
    let text = unprivileged(&["export"]).output();
    assert!(text.lines().count() > 400, "{text}");
    allow(&file_in(path), 0o000);
    let expected = "cannot read DIR/state.redb: Permission denied (os error 13): run the command \
                    as the user that the exporter runs as";
    assert_eq!(unprivileged(&["show"]).complaint(1, path), expected);
    allow(path, 0o755);
}

fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// What makes a state, and what is said of it.
type Case<'c> = (&'c dyn Fn(&Path), &'c str);

#[test]
fn a_newer_or_damaged_state_is_refused_in_the_usual_words_and_left_as_it_is() {
    const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("about");
    let newer = |path: &Path| {
        history_in(path, 1);
        let database = Database::open(file_in(path)).expect("a database");
        let transaction = database.begin_write().expect("a transaction");
        let mut about = transaction.open_table(ABOUT).expect("the table");
        about.insert("format", "99").expect("it can be written");
        about
            .insert("written by", "9.8.7")
            .expect("it can be written");
        drop(about);
        transaction.commit().expect("it can be committed");
    };
    let cut = |path: &Path| {
        history_in(path, 20);
        let bytes = fs::read(file_in(path)).expect("the file");
        fs::write(file_in(path), &bytes[..bytes.len() / 2]).expect("a file");
    };
    let empty = |path: &Path| fs::write(file_in(path), "").expect("a file");
    let folder = |path: &Path| fs::create_dir(file_in(path)).expect("a folder");
    let cases: [Case<'_>; 4] = [
        (&newer, "run version 9.8.7 or newer"),
        (&cut, "is damaged or not a state file of this exporter"),
        (&empty, "it is empty"),
        (&folder, "it is not a regular file"),
    ];
    for (make, expected) in cases {
        let directory = directory();
        let path = directory.path();
        make(path);
        let before = contents(path);
        let said = state(path, &["show"]).complaint(1, path);
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("it was left unchanged"), "{said}");
        assert!(contents(path) == before, "{expected}: it was changed");
    }
}

#[test]
fn one_account_is_chosen_by_its_name_or_its_key() {
    let directory = directory();
    let path = directory.path();
    two_accounts(path);
    let config = path.join("config.yml");
    fs::write(&config, config_file()).expect("a file");
    let config = format!("--config.file={}", config.display());
    for account in ["--account=test", &format!("--account={READING}")] {
        let shown = state(path, &["show", account, &config]).output();
        assert!(shown.contains("Account test (API key read…)"), "{shown}");
        assert!(!shown.contains("production"), "{shown}");
    }
    let account = format!("--account={BUSY}");
    let shown = state(path, &["show", &account]).output();
    assert!(
        shown.contains("The account with the API key busy…"),
        "{shown}"
    );

    let expected = "the configuration cannot be used:\n  --account must be the name or the API \
                    key of a stored account: production, test";
    let done = state(path, &["show", "--account=staging", &config]);
    assert_eq!(done.complaint(2, path), expected);
    let expected = expected.replace("production, test", "busy…, read…");
    let done = state(path, &["show", "--account=busy"]);
    assert_eq!(done.complaint(2, path), expected);
}

/// The storage path of the config file counts, as it does for the exporter.
#[test]
fn the_config_file_says_where_the_state_is() {
    let directory = directory();
    let path = directory.path();
    history_in(&path.join("data"), 1);
    let config = path.join("config.yml");
    fs::write(&config, "storage: {path: data}\npoll: {interval: 7s}\n").expect("a file");
    let mut command = test_support::program::command();
    command.args(["state", "show", "--config.file"]).arg(config);
    let shown = CommandOutput::of(&mut command).output();
    assert!(
        shown.contains(&format!("API key {}…", &KEY[..4])),
        "{shown}"
    );
}

#[test]
fn every_problem_of_the_arguments_is_reported_at_once() {
    let directory = directory();
    let path = directory.path();
    let done = state(path, &["show", "--output=xml", "--account="]);
    let expected = "the configuration cannot be used:
  --account must be the name or the API key of an account
  --output \"xml\" is unknown; write text or json";
    assert_eq!(done.complaint(2, path), expected);
    let done = state(path, &["import", "", "--as=a:b"]);
    let expected = "the configuration cannot be used:
  FILE must be the path of a file, or -
  --as must be the API key of an account";
    assert_eq!(done.complaint(2, path), expected);
    assert_eq!(state(path, &["import"]).status, 2);
    assert_eq!(state(path, &["shown"]).status, 2);
}
