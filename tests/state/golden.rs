//! The whole output of `state show`. A change shows here: review with
//! `cargo insta review`, or read the diff.

use std::fs;

use test_support::store::directory;

use crate::run::state;
use crate::states::{config_file, two_accounts};

fn is_golden(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

/// Returns what `state show` says of two accounts, without what differs from run to run.
fn shown(form: &str) -> String {
    let directory = directory();
    let path = directory.path();
    two_accounts(path);
    let config = path.join("config.yml");
    fs::write(&config, config_file()).expect("a file");
    let config = format!("--config.file={}", config.display());
    let text = state(path, &["show", form, &config]).output();
    let text = text.replace(&path.display().to_string(), "DIR");
    let version = format!("from version {}", env!("CARGO_PKG_VERSION"));
    let text = text.replace(&version, "from version ~");
    let version = format!(r#""written_by": "{}""#, env!("CARGO_PKG_VERSION"));
    let text = text.replace(&version, r#""written_by": "~""#);
    let ages = text.split('(').map(|part| match part.split_once(" ago)") {
        Some((_, rest)) => format!("~ ago){rest}"),
        None => part.to_owned(),
    });
    ages.collect::<Vec<_>>().join("(")
}

#[test]
fn text_of_two_accounts() {
    is_golden("state_show", &shown("--output=text"));
}

#[test]
fn json_of_two_accounts() {
    is_golden("state_show_json", &shown("--output=json"));
}
