//! The help of each command, whole, and the version. A change shows here: review with
//! `cargo insta review`, or read the diff.

use nexmo_audit_exporter::cli;
use test_support::program::command;

use super::output_of;

fn is_golden(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../golden", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

/// Returns the names of each command that the help names, the outermost first.
fn paths(command: &clap::Command, path: &[String]) -> Vec<Vec<String>> {
    let inner = command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set());
    let below = inner.flat_map(|inner| {
        let name = inner.get_name().to_owned();
        paths(inner, &[path, &[name]].concat())
    });
    std::iter::once(path.to_vec()).chain(below).collect()
}

fn helps(flag: &str) -> String {
    let help = |path: &Vec<String>| {
        let text = output_of(command().args(path).arg(flag));
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        format!("# {} {flag}\n\n{}\n", path.join(" "), lines.join("\n"))
    };
    let all: Vec<_> = paths(&cli::command(), &[]).iter().map(help).collect();
    all.join("\n")
}

#[test]
fn short_help() {
    is_golden("help_short", &helps("-h"));
}

#[test]
fn long_help() {
    is_golden("help_long", &helps("--help"));
}

#[test]
fn the_version_has_the_revision() {
    let ask = |flag: &str| output_of(command().arg(flag));
    let version = format!("nexmo-audit-exporter {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(ask("-V"), format!("{version}\n"));
    let long = ask("--version");
    let rest = long.strip_prefix(&version).expect("the version");
    assert!(
        rest.starts_with(" (revision ") && rest.contains(", rustc 1."),
        "{long}"
    );
}
