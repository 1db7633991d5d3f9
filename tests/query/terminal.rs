//! What the commands do on a terminal, which `script` plays.

use std::process::Command;

use test_support::audit_event::events;
use test_support::command_output::CommandOutput;
use test_support::scripted_api::{ScriptedApi, healthy};
use test_support::tools;

use crate::run::prepared;

/// Runs the program with its outputs on a terminal; `None` where there is no `script`.
fn on_terminal(base_url: &str, arguments: &[&str]) -> Option<CommandOutput> {
    let script = tools::require("script")?;
    let program = prepared(base_url, arguments);
    let words = std::iter::once(program.get_program()).chain(program.get_args());
    let words: Vec<_> = words.map(|word| word.to_str().expect("UTF-8")).collect();
    let line = shlex::try_join(words).expect("a command line");
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
    let Some(done) = on_terminal(&api.base_url(), &["backfill", "--from=2d"]) else {
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
