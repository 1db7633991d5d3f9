//! What the commands do on a terminal, which `script` plays.

use std::process::Command;

use test_support::audit_event::events;
use test_support::command_output::CommandOutput;
use test_support::limited_list::LimitedList;
use test_support::scripted_api::{ScriptedApi, healthy, listing};
use test_support::tools;

use crate::run::prepared;

/// Runs the program with its outputs on a terminal, or where `redirection` says; `None` where
/// there is no `script`.
fn on_terminal(base_url: &str, arguments: &[&str], redirection: &str) -> Option<CommandOutput> {
    let script = tools::require("script")?;
    let program = prepared(base_url, arguments);
    let words = std::iter::once(program.get_program()).chain(program.get_args());
    let words: Vec<_> = words.map(|word| word.to_str().expect("UTF-8")).collect();
    let line = shlex::try_join(words).expect("a command line") + redirection;
    let mut command = Command::new(script);
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    let variables = program.get_envs();
    command.envs(variables.filter_map(|(name, value)| Some((name, value?))));
    command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
    Some(CommandOutput::of(&mut command))
}

#[test]
fn a_history_is_not_poured_into_a_terminal() {
    let api = ScriptedApi::start(healthy(events(2, "APP_CREATE")));
    let Some(done) = on_terminal(&api.base_url(), &["backfill", "--from=2d"], "") else {
        return;
    };
    assert_eq!(done.status, 2, "{}", done.out);
    assert_eq!(
        done.out,
        "nexmo-audit-exporter: the configuration cannot be used:\r\n  \
         --output must name a file, since standard output is a terminal, and a history is long; \
         or write | less, or > FILE\r\n"
    );
    assert_eq!(api.requests().len(), 0);
}

/// The progress is told on standard error, and goes away at the end.
#[test]
fn an_export_to_a_file_tells_how_far_it_is() {
    let list = LimitedList::spread(1500);
    let api = ScriptedApi::start(listing(move |request| list.answer(request)));
    let arguments = [
        "events",
        "list",
        "--from=1h",
        "--output=csv",
        "--api.max-requests-per-second=5",
    ];
    let Some(done) = on_terminal(&api.base_url(), &arguments, " > /dev/null") else {
        return;
    };
    assert_eq!(done.status, 0, "{}", done.out);
    let progress = " of 1500 events read (";
    assert!(done.out.contains(progress), "{:?}", done.out);
    let (_, end) = done.out.rsplit_once(progress).expect("progress");
    assert!(end.ends_with("\r\u{1b}[2K"), "{end:?}");
}

#[test]
fn a_table_on_a_terminal_has_colours() {
    let api = ScriptedApi::start(healthy(events(1, "APP_CREATE")));
    let arguments = ["events", "list", "--columns=type,time,user"];
    let Some(done) = on_terminal(&api.base_url(), &arguments, "") else {
        return;
    };
    let lines: Vec<_> = done.out.lines().collect();
    assert!(lines[0].starts_with("\u{1b}[1mTYPE\u{1b}[0m "), "{lines:?}");
    assert!(
        lines[1].starts_with("\u{1b}[36mAPP_CREATE\u{1b}[0m "),
        "{lines:?}"
    );
}
