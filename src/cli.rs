//! The command line: which command, with which options. Every flag has an
//! environment variable, named by one rule.

use clap::{Arg, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    config::{BackfillOptions, GetOptions, ListOptions, Options, TypesOptions, WebOptions},
    simulator::SimulatorSettings,
};

/// Prometheus exporter for the Audit API of Nexmo (now Vonage).
#[derive(Debug, Parser)]
#[command(name = "nexmo-audit-exporter", version, args_conflicts_with_subcommands = true, after_help = CREDENTIALS)]
struct CommandLine {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    options: Options,
}

/// What the program is asked to do.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Poll, count and serve (also with no command).
    #[command(after_help = CREDENTIALS)]
    Serve(Box<Options>),
    /// Ask the Audit API for events.
    #[command(subcommand)]
    Events(Ask),
    /// Write the history of a range for `promtool tsdb create-blocks-from openmetrics`.
    #[command(after_help = CREDENTIALS)]
    Backfill(Box<BackfillOptions>),
    /// The exporter on a simulated account, to see what it looks like.
    Demo(Box<Options>),
    /// The Audit API simulator alone.
    Simulate(Box<SimulateOptions>),
    /// Ask the exporter of the same container whether it is healthy.
    #[command(hide = true)]
    Healthcheck(WebOptions),
}

/// What the API is asked for.
#[derive(Debug, Subcommand)]
pub enum Ask {
    /// List events in the order of their time.
    #[command(after_help = CREDENTIALS)]
    List(Box<ListOptions>),
    /// Show all of an event, or of several.
    #[command(after_help = CREDENTIALS)]
    Get(Box<GetOptions>),
    /// List the event types that the vendor names.
    #[command(after_help = CREDENTIALS)]
    Types(Box<TypesOptions>),
}

/// The options of `simulate`.
#[derive(Debug, Args)]
pub struct SimulateOptions {
    /// What is simulated.
    #[command(flatten)]
    pub simulator: SimulatorSettings,
    /// What is logged.
    #[command(flatten)]
    pub log: crate::config::LogOptions,
}

const CREDENTIALS: &str = "The account: NEXMO_API_KEY and NEXMO_API_SECRET (or VONAGE_API_KEY and \
VONAGE_API_SECRET) from the environment, or the secret from --api.secret-file.\n\
Every flag has an environment variable: NEXMO_AUDIT_ and the flag in capitals, dots and dashes as _.";

const ENVIRONMENT_PREFIX: &str = "NEXMO_AUDIT_";

/// What `demo` does otherwise than `serve`.
const DEMO_DEFAULTS: [(&str, &str); 3] = [
    ("listen_address", "127.0.0.1:10610"),
    ("interval", "1s"),
    ("start", "24h"),
];

/// What commands that ask once do otherwise than `serve`: a person waits for them,
/// and what they have to say is their output.
const ASKING_DEFAULTS: [(&str, &str); 2] = [("max_requests_per_second", "100"), ("level", "warn")];

/// Reads the command line and the environment.
///
/// # Errors
/// For bad usage, and for `--help` and `--version`; [`clap::Error::exit`] prints
/// each as it should be and ends with the right status.
pub fn parse(
    arguments: impl IntoIterator<Item = std::ffi::OsString>,
) -> Result<Action, clap::Error> {
    let line = CommandLine::from_arg_matches(&command().try_get_matches_from(arguments)?)?;
    Ok(line.action.unwrap_or(Action::Serve(Box::new(line.options))))
}

/// All commands with their flags: what completions and manual pages are made from.
#[must_use]
pub fn command() -> Command {
    let command = with_environment(CommandLine::command());
    let demo = |demo| with_defaults(with_environment(demo), &DEMO_DEFAULTS);
    let asking = |asking| with_defaults(with_environment(asking), &ASKING_DEFAULTS);
    command
        .mut_subcommand("serve", with_environment)
        .mut_subcommand("simulate", with_environment)
        .mut_subcommand("healthcheck", with_environment)
        .mut_subcommand("demo", demo)
        .mut_subcommand("backfill", asking)
        .mut_subcommand("events", |events| events.mut_subcommands(asking))
}

fn with_defaults(command: Command, defaults: &[(&'static str, &'static str)]) -> Command {
    let with_default = |command: Command, (id, value): &(_, _)| {
        command.mut_arg(*id, |arg: Arg| arg.default_value(*value))
    };
    defaults.iter().fold(command, with_default)
}

fn with_environment(command: Command) -> Command {
    command.mut_args(|arg| match arg.get_long() {
        Some(long) if !matches!(long, "help" | "version") => {
            let variable = long.to_uppercase().replace(['.', '-'], "_");
            arg.env(format!("{ENVIRONMENT_PREFIX}{variable}"))
                .hide_env_values(true)
        }
        _ => arg,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(line: &str) -> Action {
        let arguments = line.split_whitespace().map(Into::into);
        parse(arguments).expect("a command line")
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
            let error = parse(line.split_whitespace().map(Into::into)).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
