//! The commands that query the API once, for one of several accounts.

use std::process::Output;

use test_support::program::command_without_account;

use crate::vendor::{Vendor, account};

fn ask(vendor: &Vendor, arguments: &[&str]) -> Output {
    let mut command = command_without_account();
    command.args(arguments);
    command.arg(format!(
        "--config.file={}",
        vendor.path("config.yml").display()
    ));
    command.arg(format!("--api.base-url={}", vendor.api.base_url()));
    command.output().expect("the program runs")
}

fn lines(done: &Output) -> usize {
    assert!(done.status.success(), "{done:?}");
    String::from_utf8_lossy(&done.stdout).lines().count()
}

#[test]
fn the_account_flag_selects_an_account() {
    let vendor = Vendor::new(&["one", "two"]);
    vendor.record_many("one", 2);
    vendor.record_many("two", 3);
    vendor.configure_accounts(&["one", "two"]);
    let list = |account: &str| {
        let account = format!("--account={account}");
        ask(
            &vendor,
            &["events", "list", "--output=json", "--from=1h", &account],
        )
    };
    assert_eq!(lines(&list("one")), 2);
    assert_eq!(lines(&list("two")), 3);
    let done = ask(
        &vendor,
        &["events", "types", "--output=json", "--account=two"],
    );
    assert_eq!(lines(&done), 2);

    let traced = ["events", "list", "--account=two", "--log.level=trace"];
    let log = String::from_utf8_lossy(&ask(&vendor, &traced).stderr).into_owned();
    assert!(log.lines().count() > 1, "{log}");
    assert!(
        log.lines().all(|line| line.contains("account=two")),
        "{log}"
    );

    for done in [list("three"), ask(&vendor, &["events", "types"])] {
        assert_eq!(done.status.code(), Some(2), "{done:?}");
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(
            said.contains("--account must be one of the accounts: one, two"),
            "{said}"
        );
    }
}

#[test]
fn the_only_account_need_not_be_named() {
    let vendor = Vendor::new(&["one"]);
    vendor.record_many("one", 2);
    vendor.configure_accounts(&["one"]);
    let done = ask(&vendor, &["events", "list", "--output=json", "--from=1h"]);
    assert_eq!(lines(&done), 2);
}

#[test]
fn the_account_flag_needs_a_config_file() {
    let mut command = command_without_account();
    let done = command.args(["events", "types", "--account=one"]).output();
    let done = done.expect("the program runs");
    assert_eq!(done.status.code(), Some(2));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.contains("give --config.file"), "{said}");
}

/// Labels and types are those of the running exporter; otherwise the curves would not
/// meet.
#[test]
fn a_backfill_has_the_labels_and_types_of_its_account() {
    let vendor = Vendor::new(&["one"]);
    vendor.record("one", "USER_STATUS");
    vendor.record("one", "USER_LOGIN");
    let entry = account("one", ", exclude_event_types: USER_LOGIN");
    vendor.configure(&format!("accounts:\n{entry}"));
    let done = ask(
        &vendor,
        &["backfill", "--from=1h", "--to=now", "--allow-recent"],
    );
    assert!(done.status.success(), "{done:?}");
    let text = String::from_utf8(done.stdout).expect("text");
    let mut samples = text.lines().filter(|line| !line.starts_with('#'));
    assert!(samples.clone().count() > 10, "{text}");
    assert!(
        samples.all(|line| line.contains("account=\"one\"") || line.contains("type_info")),
        "{text}"
    );
    assert!(!text.contains("USER_LOGIN"), "{text}");
}
