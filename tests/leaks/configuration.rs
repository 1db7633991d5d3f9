//! Settings that a user wrote wrongly, with a secret in them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use test_support::audit_event::PERSONAL;
use test_support::process::Process;
use test_support::program::{API_KEY, command};

use crate::output::CollectedOutput;
use crate::private_data::SECRET;
use crate::serving::with_secret;

const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a command whose settings cannot be used, and returns what it wrote.
fn refused(collected: &mut CollectedOutput, command: &mut Command) {
    let name = format!("{:?}", command.get_args().collect::<Vec<_>>());
    let mut process = Process::start("the program", command);
    let ended = process.wait_for_end(DEADLINE);
    let said = process.all_lines(DEADLINE).join("\n");
    assert_eq!(ended.code(), Some(2), "{name}: {said}");
    collected.add(&name, said);
}

#[test]
fn a_secret_in_a_url_or_a_flag_is_not_quoted() {
    let urls = [
        format!("https://{API_KEY}:{SECRET}@api.nexmo.com/beta/audit"),
        format!("https://{API_KEY}:swordfish%2Fx@api.nexmo.com:port/"),
        format!("http://{API_KEY}:swordfish@api.nexmo.com/"),
        format!("https://api.nexmo.com/?api_secret={SECRET}"),
        format!("https://api.nexmo.com/#{SECRET}"),
        format!("{API_KEY}:{SECRET}@api.nexmo.com"),
        format!("//{API_KEY}:{SECRET}@api.nexmo.com"),
    ];
    let mut collected = CollectedOutput::default();
    for url in urls {
        let flag = format!("--api.base-url={url}");
        refused(&mut collected, with_secret().args(["serve", &flag]));
        refused(
            &mut collected,
            with_secret().args(["events", "list", &flag]),
        );
        refused(
            &mut collected,
            with_secret().env("NEXMO_AUDIT_API_BASE_URL", &url),
        );
    }
    for flags in [
        [format!("--api.secret={SECRET}"), String::new()],
        ["--api.secret".to_owned(), SECRET.to_owned()],
        [format!("--nexmo-api-secret={SECRET}"), String::new()],
    ] {
        let flags = flags.iter().filter(|flag| !flag.is_empty());
        refused(&mut collected, with_secret().args(flags));
    }
    collected.shows(&["--api.base-url", "unexpected"]);
    collected.shows_nothing_private();
}

#[test]
fn a_file_of_a_secret_is_not_quoted() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        path
    };
    let binary = [SECRET.as_bytes(), b"\xff\xfe", SECRET.as_bytes()].concat();
    let paths = [
        file("long", SECRET.repeat(1000).as_bytes()),
        file("binary", &binary),
        file("empty", b"\r\n"),
        folder.path().join("missing"),
        folder.path().to_owned(),
    ];
    let mut collected = CollectedOutput::default();
    for path in paths {
        refused(&mut collected, command().args(["serve", &with_file(&path)]));
        refused(
            &mut collected,
            command().args(["events", "get", PERSONAL[1], &with_file(&path)]),
        );
    }
    collected.shows(&["cannot be used", "longer than"]);
    collected.shows_nothing_private();
}

fn with_file(path: &Path) -> String {
    format!("--api.secret-file={}", path.display())
}

#[test]
fn a_wrong_key_does_not_show_the_secret() {
    let mut collected = CollectedOutput::default();
    for key in [
        format!("{API_KEY}:{SECRET}"),
        format!("{SECRET}\n{SECRET}"),
        String::new(),
    ] {
        refused(&mut collected, with_secret().env("NEXMO_API_KEY", key));
    }
    collected.shows(&["NEXMO_API_KEY"]);
    collected.shows_nothing_private();
}
