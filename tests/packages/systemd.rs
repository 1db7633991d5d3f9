//! The systemd units, checked by systemd itself.

use std::fs;
use std::process::Command;

use test_support::program::executable;
use test_support::repository;
use test_support::tools;

use super::command_line::is_variable;
use super::{LONGEST_STOP, output_of};

const UNIT: &str = "packaging/systemd/nexmo-audit-exporter.service";

const SOCKET: &str = "packaging/systemd/nexmo-audit-exporter.socket";

/// The highest exposure, in tenths, of 10.0 for a service without protection. systemd
/// 252 gives the unit 1.3.
const MOST_EXPOSED: &str = "15";

/// Writes the units with the path of a program that exists.
fn unit_of_this_program() -> tempfile::TempDir {
    let text = fs::read_to_string(repository(UNIT)).expect("the unit");
    let installed = "/usr/bin/nexmo-audit-exporter";
    assert!(text.contains(&format!("ExecStart={installed} serve\n")));
    let built = executable().display().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("nexmo-audit-exporter.service");
    fs::write(path, text.replace(installed, &built)).expect("the copy");
    let socket = folder.path().join("nexmo-audit-exporter.socket");
    fs::copy(repository(SOCKET), socket).expect("the socket");
    folder
}

#[test]
fn systemd_finds_no_fault_with_the_units() {
    let Some(analyze) = tools::require("systemd-analyze") else {
        return;
    };
    let folder = unit_of_this_program();
    let mut verify = Command::new(analyze);
    verify.args(["verify", "--man=no", "--recursive-errors=no"]);
    for unit in ["service", "socket"] {
        verify.arg(folder.path().join(format!("nexmo-audit-exporter.{unit}")));
    }
    let output = verify.output().expect("systemd-analyze");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[test]
fn the_service_has_the_time_for_the_last_call_and_the_answers_in_flight() {
    let text = fs::read_to_string(repository(UNIT)).expect("the unit");
    let mut lines = text.lines();
    let time = lines.find_map(|line| line.strip_prefix("TimeoutStopSec=")?.strip_suffix('s'));
    let time: u64 = time.and_then(|time| time.parse().ok()).expect("seconds");
    assert!(time > LONGEST_STOP.as_secs(), "{time}");
}

#[test]
fn the_service_has_a_low_exposure() {
    let Some(analyze) = tools::require("systemd-analyze") else {
        return;
    };
    let mut security = Command::new(analyze);
    security.args(["security", "--offline=true", "--no-pager", "--threshold"]);
    output_of(security.arg(MOST_EXPOSED).arg(repository(UNIT)));
}

#[test]
fn every_setting_of_the_unit_is_one_of_the_program() {
    for file in [UNIT, "packaging/systemd/nexmo-audit-exporter.env"] {
        let text = fs::read_to_string(repository(file)).expect(file);
        let names: Vec<_> = settings(&text).collect();
        assert!(!names.is_empty(), "{file}");
        for name in names {
            assert!(is_variable(name), "{file}: {name}");
        }
    }
}

/// Returns the variables that the unit sets, also in comments, but not in running text.
fn settings(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines.filter_map(|(before, after)| {
        let set = if before == "Environment" {
            after
        } else {
            before
        };
        let name = set.trim_start_matches('#').split('=').next()?;
        name.starts_with("NEXMO_AUDIT_").then_some(name)
    })
}

/// The unit names the file of a single account before it is known whether there is one.
#[test]
fn the_units_own_settings_are_no_doubt_beside_several_accounts() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let check = || {
        let mut check = Command::new(executable());
        check.arg("check-config").env("NO_PROXY", "");
        check.env("NEXMO_AUDIT_CONFIG_FILE", path("config.yml"));
        check.env("NEXMO_AUDIT_API_SECRET_FILE", path("api-secret"));
        check.env("NEXMO_AUDIT_STORAGE_PATH", path("state"));
        check.env("NEXMO_AUDIT_WEB_LISTEN_ADDRESS", "127.0.0.1:0");
        let output = check.output().expect("check-config");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let config = |file: &str| {
        let account =
            format!("accounts: [{{name: a, api_key: abcd1234, api_secret_file: {file}}}]");
        fs::write(path("config.yml"), account).expect("a config file");
    };
    fs::write(path("a.secret"), "secret").expect("a secret");
    config("a.secret");
    assert!(!check().contains("is ignored"), "no file: {}", check());

    fs::write(path("api-secret"), "secret").expect("a secret");
    config("api-secret");
    assert!(
        !check().contains("is ignored"),
        "the account's: {}",
        check()
    );

    config("a.secret");
    assert!(
        check().contains("--api.secret-file is ignored"),
        "{}",
        check()
    );
}
