//! Keys and secrets that cannot be those of an account, and those that probably are not.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use test_support::exporter::Exporter;
use test_support::program::{API_KEY, API_SECRET, command, command_without_account, executable};
use test_support::scripted_answer::Answer;
use test_support::scripted_api::ScriptedApi;

const PLACEHOLDER: &str =
    "is the placeholder of an example; put the value of the account in its place";
const INVISIBLE: &str = "has a line end or another invisible character; write it in a single line";
const QUOTE: &str = "begins or ends with a quote, which is sent as a part of it; remove the quotes";
const BLANK: &str = "has a blank, which is sent as a part of it; remove the blank";
const SWORDFISH: &str = "swordfish";

fn with(variable: &str, value: &str) -> Command {
    let mut command = command_without_account();
    // The pair has the same prefix.
    let prefix = variable.split('_').next().expect("a prefix");
    command.env(format!("{prefix}_API_KEY"), API_KEY);
    command.env(format!("{prefix}_API_SECRET"), API_SECRET);
    command.env(variable, value);
    command
}

fn refused(command: &mut Command, problem: &str) {
    let done = command.output().expect("the program runs");
    let said = String::from_utf8(done.stderr).expect("text");
    let expected =
        format!("nexmo-audit-exporter: the configuration cannot be used:\n  {problem}\n");
    assert_eq!(said, expected);
    assert_eq!(done.status.code(), Some(2));
}

fn accepted(command: &mut Command, warning: &str) {
    let done = command.output().expect("the program runs");
    let said = String::from_utf8(done.stdout).expect("text");
    let expected = format!("Warning: {warning}\nThe configuration can be used: 1 account.\n");
    assert_eq!(said, expected);
}

#[test]
fn what_cannot_work_is_refused() {
    let cases = [
        ("NEXMO_API_KEY", "REPLACE-with-the-API-key", PLACEHOLDER),
        ("VONAGE_API_KEY", "${API_KEY}", PLACEHOLDER),
        ("NEXMO_API_KEY", "  ", PLACEHOLDER),
        ("NEXMO_API_KEY", "\"abcd1234\"", QUOTE),
        ("NEXMO_API_KEY", "'abcd1234'", QUOTE),
        ("NEXMO_API_KEY", " abcd1234", BLANK),
        ("VONAGE_API_KEY", "abcd1234 \n", BLANK),
        ("NEXMO_API_KEY", "abcd\n1234", INVISIBLE),
        (
            "NEXMO_API_KEY",
            "abcd:1234",
            "must be set to the API key of the account",
        ),
        (
            "NEXMO_API_SECRET",
            "REPLACE-with-the-API-secret",
            PLACEHOLDER,
        ),
        ("VONAGE_API_SECRET", "${API_SECRET}", PLACEHOLDER),
        ("NEXMO_API_SECRET", "\t ", PLACEHOLDER),
        ("NEXMO_API_SECRET", "sword\nfish", INVISIBLE),
    ];
    for (variable, value, problem) in cases {
        let commands: [&[&str]; 3] = [&["check-config"], &["serve"], &["events", "types"]];
        for arguments in commands {
            let problem = format!("{variable} {problem}");
            refused(with(variable, value).args(arguments), &problem);
        }
    }
}

#[test]
fn what_probably_does_not_work_is_a_warning() {
    let cases = [
        ("NEXMO_API_SECRET", "\"swordfish\"", QUOTE),
        ("VONAGE_API_SECRET", "'swordfish' ", QUOTE),
        ("NEXMO_API_SECRET", " swordfish", BLANK),
        ("NEXMO_API_SECRET", "swordfish \n", BLANK),
        ("NEXMO_API_SECRET", "sword fish", BLANK),
    ];
    for (variable, value, warning) in cases {
        let warning = format!("{variable} {warning}");
        accepted(with(variable, value).arg("check-config"), &warning);
    }
}

/// The shell hands over the output of a command as a pipe.
#[test]
fn a_secret_from_a_command_is_refused_with_what_to_do() {
    let mut shell = Command::new("bash");
    let line = "exec \"$0\" check-config --api.secret-file <(echo swordfish)";
    shell.args(["-c", line]).arg(executable());
    shell.env("NEXMO_API_KEY", API_KEY);
    let done = shell.output().expect("the program runs");
    let said = String::from_utf8(done.stderr).expect("text");
    assert!(said.contains("--api.secret-file /dev/fd/"), "{said}");
    let problem = "cannot be used: it is a pipe; name a regular file, or set NEXMO_API_SECRET=\"$(command)\" in place of `<(command)`\n";
    assert!(said.ends_with(problem), "{said}");
    assert_eq!(done.status.code(), Some(2));
}

/// A container engine mounts secrets so that all users of the container may read them.
#[test]
fn a_secret_that_kubernetes_mounts_is_no_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let volume = folder.path().join("..2026_11_27_10_00_00.123456789");
    fs::create_dir(&volume).expect("a folder");
    fs::write(volume.join("secret"), SWORDFISH).expect("a file");
    let link = |to: &Path, name: &str| symlink(to, folder.path().join(name)).expect("a link");
    link(&volume, "..data");
    link(Path::new("..data/secret"), "secret");
    fs::copy(volume.join("secret"), folder.path().join("other")).expect("a file");
    for (name, mode, warning) in [
        ("secret", 0o644, None),
        ("secret", 0o646, Some("read and write")),
        ("other", 0o644, Some("read")),
    ] {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.path().join(name), mode).expect("a mode");
        let mut check = command_without_account();
        check.env("NEXMO_API_KEY", API_KEY);
        check.current_dir(folder.path());
        check.args(["check-config", "--api.secret-file", name]);
        let done = check.output().expect("the program runs");
        let said = String::from_utf8(done.stdout).expect("text");
        let warning = warning.map_or_else(String::new, |may| {
            format!("Warning: --api.secret-file {name} is open to every user of this machine, who may {may} it; take that away with `chmod o-rwx`\n")
        });
        assert_eq!(
            said,
            format!("{warning}The configuration can be used: 1 account.\n")
        );
    }
}

#[test]
fn files_are_checked_as_variables_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    let check = |setting: &str| {
        let mut command = command_without_account();
        command.arg("check-config").current_dir(folder.path());
        if setting.starts_with("--api.secret-file") {
            command.env("NEXMO_API_KEY", API_KEY);
        }
        command.arg(setting);
        command
    };
    let accounts =
        format!("accounts: [{{name: one, api_key: {API_KEY}, api_secret_file: secret}}]");
    fs::write(folder.path().join("file.yml"), accounts).expect("a file");
    let cases = [
        ("REPLACE-with-the-API-secret\n", PLACEHOLDER, true),
        ("sword\r\nfish\n", INVISIBLE, true),
        ("\"swordfish\"\r\n", QUOTE, false),
        (" swordfish\n", BLANK, false),
    ];
    for (text, flaw, is_refused) in cases {
        fs::write(&file, text).expect("a file");
        let of_the_owner = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&file, of_the_owner).expect("a mode");
        let settings = [
            ("--api.secret-file=secret", "--api.secret-file secret"),
            (
                "--config.file=file.yml",
                "file.yml:1: `api_secret_file` secret",
            ),
        ];
        for (setting, place) in settings {
            let problem = format!("{place} {flaw}");
            if is_refused {
                refused(&mut check(setting), &problem);
            } else {
                accepted(&mut check(setting), &problem);
            }
        }
    }
    let accounts = "accounts: [{name: one, api_key: ' abcd1234', api_secret: \"'swordfish'\", base_url: 'https://a/events'}]";
    fs::write(folder.path().join("text.yml"), accounts).expect("a file");
    let at = "text.yml:1:";
    refused(
        &mut check("--config.file=text.yml"),
        &format!(
            "{at} `api_key` {BLANK}\n  {at} `base_url` ends with /events, which the exporter adds by itself; write it like https://api.nexmo.com/beta/audit"
        ),
    );
}

#[test]
fn a_rejection_names_what_is_probably_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    fs::write(&file, "swordfish").expect("a file");
    let api = ScriptedApi::start(|_| Answer::error(401, "no"));
    let setting = format!("--api.secret-file={}", file.display());
    let exporter = Exporter::started_by(&mut command(), &api.base_url(), &[&setting]);
    let first = exporter.program.wait_for_line("polls fail");
    let place = file.display();
    let expected = format!(
        "check the API key (NEXMO_API_KEY) and the API secret ({place}), and that the account may use the Audit API"
    );
    assert!(first.contains(&expected), "{first}");
    // The file changes while the exporter runs.
    fs::write(&file, "'swordfish'\n").expect("a file");
    let expected = format!("the API secret ({place}, which {QUOTE})");
    let line = exporter.program.wait_for_line(&expected);
    let lines = exporter.program.lines();
    assert!(!lines.iter().any(|line| line.contains(SWORDFISH)), "{line}");
    // A command has the secret of the variable.
    let mut command = with("NEXMO_API_SECRET", "\"swordfish\"");
    command.args(["events", "types", "--api.base-url", &api.base_url()]);
    let done = command.output().expect("the program runs");
    let said = String::from_utf8(done.stderr).expect("text");
    let expected = format!("the API secret (NEXMO_API_SECRET, which {QUOTE})");
    assert!(said.contains(&expected), "{said}");
    assert!(!said.contains(SWORDFISH), "{said}");
}
