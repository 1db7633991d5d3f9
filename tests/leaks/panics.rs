//! A panic is logged by its place only: its message may quote what was being read.

use std::env;
use std::process::Command;
use std::time::Duration;

use nexmo_audit_exporter::cli::logging;
use nexmo_audit_exporter::config::{LogFormat, LogLevel, LogSettings};
use test_support::audit_event::PERSONAL;
use test_support::process::Process;

use crate::output::CollectedOutput;
use crate::private_data::{SECRET, VISITOR_PASSWORD};

const FORMAT: &str = "LEAKS_TEST_LOG_FORMAT";
const DEADLINE: Duration = Duration::from_secs(20);

/// The process that panics. The program has no known panic, so this test stands in for
/// it: it logs as the program does, and panics with the message of a failed slice of a
/// text.
#[test]
fn child() {
    let Ok(format) = env::var(FORMAT) else { return };
    let format: LogFormat = format.parse().expect("a format");
    let level = LogLevel::Error;
    logging::init(LogSettings { level, format }).expect("a log");
    let read = format!("é{SECRET} {VISITOR_PASSWORD} {}", PERSONAL.join(" "));
    let panicked = [
        std::panic::catch_unwind(|| read[1..].len()).is_err(),
        std::panic::catch_unwind(|| panic!("no {read}")).is_err(),
        std::panic::catch_unwind(|| panic!("words of the program")).is_err(),
    ];
    assert_eq!(panicked, [true; 3]);
}

#[test]
fn a_panic_is_logged_without_its_message() {
    for format in ["logfmt", "json"] {
        let mut command = Command::new(env::current_exe().expect("this binary"));
        command.args(["--exact", "panics::child", "--nocapture"]);
        let mut process = Process::start("the child", command.env(FORMAT, format));
        let ended = process.wait_for_end(DEADLINE);
        let lines = process.all_lines(DEADLINE);
        assert!(ended.success(), "{lines:#?}");
        let told = lines
            .iter()
            .filter(|line| line.contains("tests/leaks/panics.rs:"));
        assert_eq!(told.count(), 3, "{lines:#?}");
        let mut collected = CollectedOutput::default();
        collected.add(format, lines.join("\n"));
        collected.shows(&["words of the program"]);
        collected.shows_nothing_private();
    }
}
