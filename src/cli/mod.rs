//! The command line: the commands and their options. Every flag has an environment
//! variable and a place in the config file, each named by a rule. Flags take precedence
//! over the environment, and the environment over the file.

mod check_config;
mod demo;
mod file_defaults;
mod healthcheck;
mod help;
pub mod logging;
mod run;
mod state;
mod variables;

pub use help::{Example, examples};
pub use run::run;

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use audit_simulator::SimulatorSettings;
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use exporter_web::{FileError, ReadFile};

use crate::config::{
    BackfillOptions, ExportOptions, GetOptions, ImportOptions, ListOptions, LogOptions, Options,
    Problems, ShowOptions, Sources, TypesOptions, WebOptions,
};

/// Prometheus exporter for the Audit API of Nexmo (now Vonage).
#[derive(Debug, Parser)]
#[command(
    name = "nexmo-audit-exporter",
    version,
    args_conflicts_with_subcommands = true
)]
struct CommandLine {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    options: Options,
}

/// A command of the program.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Poll, count and serve (the default command).
    Serve(Box<Options>),
    /// Query events of the Audit API.
    #[command(subcommand)]
    Events(EventsAction),
    /// Write the history of a range for `promtool tsdb create-blocks-from openmetrics`.
    Backfill(Box<BackfillOptions>),
    /// Look at the stored state, and move accounts from one state to another.
    #[command(subcommand)]
    State(StateAction),
    /// Check everything that serve would read, report every problem, and change nothing.
    CheckConfig(Box<Options>),
    /// Run the exporter with a simulated account, to see how it looks.
    Demo(Box<Options>),
    /// Run the simulator of the Audit API alone.
    Simulate(Box<SimulateOptions>),
    /// Ask the exporter of the same container whether it is healthy.
    #[command(hide = true)]
    Healthcheck(WebOptions),
}

/// A command that queries events.
#[derive(Debug, Subcommand)]
pub enum EventsAction {
    /// List events in the order of their time.
    List(Box<ListOptions>),
    /// Show all fields of one event, or of several.
    Get(Box<GetOptions>),
    /// List the event types that the vendor names.
    Types(Box<TypesOptions>),
}

/// A command that works on the stored state.
#[derive(Debug, Subcommand)]
pub enum StateAction {
    /// Show what is stored, and what waits to be shown and why.
    Show(Box<ShowOptions>),
    /// Write one account as lines of JSON, whole: progress, ids, counters, waiting lines of the event log.
    Export(Box<ExportOptions>),
    /// Take in the account that state export has written, whole or not at all.
    Import(Box<ImportOptions>),
}

/// The options of `simulate`.
#[derive(Debug, Args)]
pub struct SimulateOptions {
    /// The simulated API.
    #[command(flatten)]
    pub simulator: SimulatorSettings,
    /// The log.
    #[command(flatten)]
    pub log: LogOptions,
}

/// The defaults of `demo` that differ from those of `serve`.
const DEMO_DEFAULTS: [(&str, &str); 3] = [
    ("listen_address", "127.0.0.1:10610"),
    ("interval", "1s"),
    ("start", "24h"),
];

/// The defaults of queries that differ from those of `serve`: a person waits for a
/// query, and its output matters more than its log.
const QUERY_DEFAULTS: [(&str, &str); 2] = [("max_requests_per_second", "100"), ("level", "warn")];

/// Everything that a user wrote, in all places.
#[derive(Debug)]
pub struct Request {
    /// The command with its options.
    pub action: Action,
    /// What was written in other places than the command line.
    pub(crate) sources: Sources,
}

/// The reason why the command line or the config file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// Bad usage, or `--help` or `--version`; [`clap::Error::exit`] prints either, and
    /// ends the program with its status.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// A config file with problems.
    #[error(transparent)]
    ConfigFile(#[from] Problems),
}

/// Parses the command line, the environment, and the config file, which `read` reads.
///
/// # Errors
/// Bad usage, a config file with problems, and `--help` and `--version`.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    read: impl FnOnce(&Path) -> Result<ReadFile, FileError>,
) -> Result<Request, UsageError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let value = |name: &str| env::var_os(name);
    let set = command_with(&value);
    let matches = set.clone().try_get_matches_from(&arguments)?;
    let (names, chosen) = chosen(&matches);
    let command = names.iter().fold(&set, |command, name| {
        command.find_subcommand(name).unwrap_or(command)
    });
    let mut sources = Sources {
        variables: variables::used(command, chosen),
        problems: variables::problems(command, &value),
        warnings: variables::unknown(&set, env::vars_os()),
        ..Sources::default()
    };
    let Some(path) = chosen.try_get_one::<PathBuf>("file").ok().flatten() else {
        let action = action(&matches)?;
        return Ok(Request { action, sources });
    };
    let mut file = file_defaults::read(&set, path, read)?;
    let with_file = file_defaults::give(set.clone(), &names, &file.settings);
    let with_file = with_file.try_get_matches_from(&arguments)?;
    // A problem of a flag that is given must not name the file.
    file_defaults::keep_used(&mut file.settings, &set, chosen);
    sources.file = file;
    let action = action(&with_file)?;
    Ok(Request { action, sources })
}

fn action(matches: &ArgMatches) -> Result<Action, clap::Error> {
    let line = CommandLine::from_arg_matches(matches)?;
    Ok(line.action.unwrap_or(Action::Serve(Box::new(line.options))))
}

/// Returns the names of the command that is given, the outermost first, and its flags.
fn chosen(matches: &ArgMatches) -> (Vec<String>, &ArgMatches) {
    let mut names = Vec::new();
    let mut inner = matches;
    while let Some((name, matches)) = inner.subcommand() {
        names.push(name.to_owned());
        inner = matches;
    }
    (names, inner)
}

/// Returns all commands with their flags, for completions and manual pages.
#[must_use]
pub fn command() -> Command {
    command_with(&|_| None)
}

/// Returns all commands with their flags, which have their variables where `value` returns
/// none or a value that the flag can have.
fn command_with(value: variables::Value<'_>) -> Command {
    let with_variables = |command| variables::give(command, value);
    let demo = |demo| with_defaults(with_variables(demo), &DEMO_DEFAULTS);
    let query = |query| with_defaults(with_variables(query), &QUERY_DEFAULTS);
    let command = with_variables(CommandLine::command())
        .mut_subcommand("serve", with_variables)
        .mut_subcommand("check-config", with_variables)
        .mut_subcommand("simulate", with_variables)
        .mut_subcommand("healthcheck", with_variables)
        .mut_subcommand("demo", demo)
        .mut_subcommand("backfill", query)
        .mut_subcommand("events", |events| events.mut_subcommands(query))
        .mut_subcommand("state", |state| state.mut_subcommands(with_variables));
    help::with_help(command)
}

fn with_defaults(command: Command, defaults: &[(&'static str, &'static str)]) -> Command {
    let with_default = |command: Command, (id, value): &(_, _)| {
        command.mut_arg(*id, |arg: Arg| arg.default_value(*value))
    };
    defaults.iter().fold(command, with_default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EntrySecret;

    fn action(line: &str) -> Action {
        let arguments = line.split_whitespace().map(Into::into);
        let request = parse(arguments, |_| panic!("there is no file"));
        request.expect("a command line").action
    }

    /// The request of `line`, with `text` as the config file at /etc/x/config.yml.
    fn with_config(line: &str, text: &str) -> Result<Request, UsageError> {
        let arguments = line.split_whitespace().map(Into::into);
        parse(arguments, |path| {
            assert_eq!(path, Path::new("/etc/x/config.yml"));
            Ok(ReadFile {
                bytes: text.into(),
                mode: 0o600,
                is_mounted: false,
            })
        })
    }

    #[test]
    fn flags_beat_the_config_file_which_beats_defaults() {
        let text = "
poll: {interval: 7s, lookback: 5m}
web: {listen_address: [':1', ':2'], enable_lifecycle: true}
api: {secret_file: secret}
storage: {path: /var/lib/x}
events: {log: stdout}
accounts: [{name: a, api_key: k, api_secret_file: a}]
";
        for command in ["x", "x serve", "x check-config"] {
            let line = format!("{command} --config.file=/etc/x/config.yml --poll.lookback=1m");
            let request = with_config(&line, text).expect("a request");
            let (Action::Serve(options) | Action::CheckConfig(options)) = request.action else {
                panic!("{command}")
            };
            assert_eq!(options.poll.interval, "7s");
            assert_eq!(options.poll.lookback, "1m");
            assert_eq!(options.poll.reconcile_interval, "1h");
            assert_eq!(options.web.listen_address, [":1", ":2"]);
            assert!(options.web.enable_lifecycle);
            assert_eq!(options.account.secret_file, Some("/etc/x/secret".into()));
            assert_eq!(options.storage.path, PathBuf::from("/var/lib/x"));
            assert_eq!(options.events.log, "stdout");
            let settings = &request.sources.file.settings;
            assert!(settings.contains_key("poll.interval"), "{settings:?}");
            assert!(!settings.contains_key("poll.lookback"), "{settings:?}");
            let accounts = request.sources.file.accounts.expect("accounts");
            let Some(EntrySecret::File(path)) = &accounts[0].secret else {
                panic!("a file")
            };
            assert_eq!(path, Path::new("/etc/x/a"));
        }
    }

    #[test]
    fn commands_that_ask_read_the_file_too_and_leave_what_is_not_theirs() {
        let line = "x events list --config.file=/etc/x/config.yml --account=a";
        let text = "poll: {interval: 7s}\napi: {timeout: 9s}";
        let request = with_config(line, text).expect("a request");
        let Action::Events(EventsAction::List(options)) = request.action else {
            panic!("list")
        };
        assert_eq!(options.account.timeout, "9s");
        assert_eq!(options.choice.account.as_deref(), Some("a"));
    }

    #[test]
    fn settings_that_cannot_be_are_named_with_their_lines() {
        let text = "poll: {intervall: 7s, interval: [1s, 2s]}\nweb: {enable_lifecycle: 2}\nconfig: {file: x}\npoll2: 3";
        let request = with_config("x --config.file=/etc/x/config.yml", text).expect("a request");
        let problems = request.sources.file.problems;
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        let expected = [
            "line 1: poll.interval must be one value",
            "line 1: poll.intervall is unknown; settings are named like the flags of serve, with nesting in place of dots",
            "line 2: web.enable_lifecycle must be true or false",
            "line 3: config.file cannot be set in the file itself",
            "line 4: poll2 is unknown; settings are named like the flags of serve, with nesting in place of dots",
        ];
        assert_eq!(problems, expected);
    }

    #[test]
    fn the_definitions_are_sound() {
        command().debug_assert();
    }

    #[test]
    fn no_command_is_serve() {
        for line in [
            "x",
            "x --poll.interval=7s",
            "x serve",
            "x serve --poll.interval=7s",
        ] {
            assert!(matches!(action(line), Action::Serve(_)), "{line}");
        }
        let Action::Serve(options) = action("x --poll.interval=7s") else {
            panic!("serve")
        };
        assert_eq!(options.poll.interval, "7s");
    }

    #[test]
    fn demo_has_its_own_defaults() {
        let Action::Demo(options) = action("x demo") else {
            panic!("demo")
        };
        assert_eq!(options.web.listen_address, ["127.0.0.1:10610"]);
        assert_eq!(options.poll.interval, "1s");
        let Action::Demo(options) = action("x demo --web.listen-address=:1 --poll.interval=2s")
        else {
            panic!("demo")
        };
        assert_eq!(options.web.listen_address, [":1"]);
        assert_eq!(options.poll.interval, "2s");
    }

    /// A value that begins with a dash is no flag.
    #[test]
    fn an_age_may_have_a_minus() {
        let Action::Events(EventsAction::List(list)) = action("x events list --from -2h --to -1h")
        else {
            panic!("list")
        };
        assert_eq!((&*list.filter.from, &*list.filter.to), ("-2h", "-1h"));
        let Action::Backfill(backfill) = action("x backfill --from -2d --to -3h") else {
            panic!("backfill")
        };
        assert_eq!((&*backfill.from, &*backfill.to), ("-2d", "-3h"));
        let Action::Serve(options) = action("x --poll.start -24h") else {
            panic!("serve")
        };
        assert_eq!(options.poll.start, "-24h");
    }

    #[test]
    fn every_flag_has_its_variable() {
        let command = command();
        let variables: Vec<_> = command
            .find_subcommand("serve")
            .expect("serve")
            .get_arguments()
            .filter_map(|arg| Some(format!("{} {}", arg.get_long()?, arg.get_env()?.to_str()?)))
            .collect();
        assert!(
            variables.contains(&"web.listen-address NEXMO_AUDIT_WEB_LISTEN_ADDRESS".into()),
            "{variables:?}"
        );
        assert!(variables.contains(
            &"api.max-requests-per-second NEXMO_AUDIT_API_MAX_REQUESTS_PER_SECOND".into()
        ));
    }

    #[test]
    fn bad_usage_is_status_2() {
        for line in [
            "x --no-such-flag",
            "x no-such-command",
            "x --poll.interval",
            "x demo serve",
        ] {
            let arguments = line.split_whitespace().map(Into::into);
            let error = parse(arguments, |_| panic!("there is no file")).expect_err(line);
            let UsageError::CommandLine(error) = error else {
                panic!("{line}")
            };
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
