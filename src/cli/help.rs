//! What `-h` and `--help` show of each command: `-h` the flags that most people need, and
//! `--help` all of them, with examples.

use clap::{Arg, Command};

/// The version as `--version` shows it, as the metric `nexmo_audit_exporter_build_info` has it.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (revision ",
    env!("BUILD_REVISION"),
    ", rustc ",
    env!("BUILD_RUSTVERSION"),
    ")"
);

/// A command line, and what it is good for.
pub type Example = (&'static str, &'static str);

/// What the help of a command shows.
struct CommandHelp {
    /// The names of the command, the outermost first.
    path: &'static [&'static str],
    /// The flags that `-h` shows, without the dashes; none if it shows all of them.
    short: &'static [&'static str],
    examples: &'static [Example],
    /// The lines that follow the flags and the examples.
    notes: &'static [&'static str],
}

/// The sentence on the variables of the flags that it is given.
macro_rules! variables_of {
    ($flags:literal) => {
        concat!(
            $flags,
            " has an environment variable: NEXMO_AUDIT_ and the flag in capitals, dots and dashes as _."
        )
    };
}

const VARIABLES: &str = variables_of!("Every flag");
const VARIABLES_BUT_OUTPUT: &str = variables_of!("Every flag but --output");
const SIMULATE: &str = "Every flag has an environment variable: NEXMO_AUDIT_SIMULATE_ and the flag in capitals, dashes as _; those of the log have NEXMO_AUDIT_ before them.";
const ACCOUNT: &str = "The account: NEXMO_API_KEY and NEXMO_API_SECRET (or VONAGE_API_KEY and \
VONAGE_API_SECRET) from the environment, or the secret from --api.secret-file; or the accounts of --config.file.";
const STATE: &str =
    "The exporter must not run on the state meanwhile. show and export change nothing.";
const SERVE_BY_ITSELF: &str = "Without a command, the program serves, and takes the flags of serve.\n\
nexmo-audit-exporter COMMAND --help shows the flags of a command, and examples.";
const MORE: &str = "--help shows all flags, and examples.";

const SERVE_FLAGS: &[&str] = &[
    "web.listen-address",
    "web.config.file",
    "api.secret-file",
    "poll.interval",
    "poll.start",
    "storage.path",
    "events.log",
    "config.file",
    "log.level",
];

/// The flags of `serve` that have no effect on `demo`, whose account and state are its own.
const NOT_OF_DEMO: &[&str] = &[
    "web.shutdown-timeout",
    "api.base-url",
    "api.allow-http",
    "api.secret-file",
    "storage.path",
    "shard.index",
    "shard.count",
];

const HELP: &[CommandHelp] = &[
    CommandHelp {
        path: &[],
        short: &[],
        examples: &[
            (
                "See it with a simulated account",
                "nexmo-audit-exporter demo",
            ),
            (
                "Count the events of an account",
                "NEXMO_API_KEY=abcd1234 NEXMO_API_SECRET=secret nexmo-audit-exporter",
            ),
            (
                "Show the last 20 events",
                "nexmo-audit-exporter events list --tail 20",
            ),
        ],
        notes: &[SERVE_BY_ITSELF],
    },
    CommandHelp {
        path: &["serve"],
        short: SERVE_FLAGS,
        examples: &[
            (
                "Count one account, with the secret in a file",
                "NEXMO_API_KEY=abcd1234 nexmo-audit-exporter serve --api.secret-file=/etc/nexmo/secret",
            ),
            (
                "Count the accounts of a config file, and keep the counts in /var/lib",
                "nexmo-audit-exporter serve --config.file=/etc/nexmo/config.yml --storage.path=/var/lib/nexmo",
            ),
            (
                "Count what happened since a date, and write each event to a file",
                "nexmo-audit-exporter serve --poll.start=2026-11-01 --events.log=/var/log/nexmo.jsonl",
            ),
        ],
        notes: &[ACCOUNT, VARIABLES],
    },
    CommandHelp {
        path: &["check-config"],
        short: SERVE_FLAGS,
        examples: &[(
            "Check what serve would read, with the same flags and variables",
            "nexmo-audit-exporter check-config --config.file=/etc/nexmo/config.yml",
        )],
        notes: &[ACCOUNT, VARIABLES],
    },
    CommandHelp {
        path: &["demo"],
        short: &["web.listen-address", "poll.interval", "log.level"],
        examples: &[(
            "Let other machines see it, at another port",
            "nexmo-audit-exporter demo --web.listen-address=:9000",
        )],
        notes: &[VARIABLES],
    },
    CommandHelp {
        path: &["simulate"],
        short: &[
            "listen-address",
            "api-key",
            "api-secret",
            "accounts",
            "rate",
            "history",
            "log.level",
        ],
        examples: &[
            (
                "Play an account with ten events a second and a history of a week",
                "nexmo-audit-exporter simulate --rate=10 --history=100000 --history-span=168h",
            ),
            (
                "Ask it",
                "NEXMO_API_KEY=abcd1234 NEXMO_API_SECRET=simulated-secret nexmo-audit-exporter events list --api.base-url=http://127.0.0.1:10611/beta/audit",
            ),
        ],
        notes: &[SIMULATE],
    },
    CommandHelp {
        path: &["backfill"],
        short: &[
            "from",
            "to",
            "step",
            "output",
            "label",
            "account",
            "config.file",
        ],
        examples: &[
            (
                "Write a history, make blocks of it, and count on from the same moment",
                "nexmo-audit-exporter backfill --from=2026-11-01 --output=history.om --label=job=nexmo-audit\n\
                 promtool tsdb create-blocks-from openmetrics history.om /var/lib/prometheus\n\
                 nexmo-audit-exporter serve --poll.start=2026-11-01",
            ),
            (
                "Write a file for each day",
                "nexmo-audit-exporter backfill --from=30d --output=history/",
            ),
        ],
        notes: &[ACCOUNT, VARIABLES_BUT_OUTPUT],
    },
    CommandHelp {
        path: &["events"],
        short: &[],
        examples: &[(
            "Show the last 20 events, and those that follow",
            "nexmo-audit-exporter events list --tail=20 --follow",
        )],
        notes: &[],
    },
    CommandHelp {
        path: &["events", "list"],
        short: &[
            "from",
            "to",
            "type",
            "user",
            "source",
            "country",
            "search",
            "limit",
            "tail",
            "reverse",
            "follow",
            "output",
            "columns",
            "local",
            "account",
            "config.file",
        ],
        examples: &[
            (
                "Show the newest events first",
                "nexmo-audit-exporter events list --tail=20 --reverse",
            ),
            (
                "Show who deleted secrets within two hours",
                "nexmo-audit-exporter events list --from=-2h --type=ACCOUNT_SECRET_DELETE",
            ),
            (
                "Write a month to a table for a spreadsheet",
                "nexmo-audit-exporter events list --from=2026-11-01 --to=2026-11-30 --output=csv > november.csv",
            ),
            (
                "Show who did what, and nothing else",
                "nexmo-audit-exporter events list --columns=time,user,type",
            ),
            (
                "Show the users of an API key, by jq",
                "nexmo-audit-exporter events list --source=DEVAPI --output=json | jq -r .user_email",
            ),
        ],
        notes: &[ACCOUNT, VARIABLES],
    },
    CommandHelp {
        path: &["events", "get"],
        short: &["output", "local", "account", "config.file"],
        examples: &[(
            "Show all fields of an event",
            "nexmo-audit-exporter events get aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
        )],
        notes: &[ACCOUNT, VARIABLES],
    },
    CommandHelp {
        path: &["events", "types"],
        short: &["output", "account", "config.file"],
        examples: &[(
            "Show the types and what they mean",
            "nexmo-audit-exporter events types",
        )],
        notes: &[ACCOUNT, VARIABLES],
    },
    CommandHelp {
        path: &["state"],
        short: &[],
        examples: &[],
        notes: &[STATE, VARIABLES],
    },
    CommandHelp {
        path: &["state", "show"],
        short: &[],
        examples: &[(
            "Show what is stored of all accounts",
            "nexmo-audit-exporter state show --storage.path=/var/lib/nexmo-audit-exporter",
        )],
        notes: &[STATE, VARIABLES],
    },
    CommandHelp {
        path: &["state", "export"],
        short: &[],
        examples: &[(
            "Write an account to a file",
            "nexmo-audit-exporter state export --account=production --output=production.jsonl",
        )],
        notes: &[STATE, VARIABLES_BUT_OUTPUT],
    },
    CommandHelp {
        path: &["state", "import"],
        short: &[],
        examples: &[(
            "Take in an account on another machine",
            "nexmo-audit-exporter state import production.jsonl --storage.path=/var/lib/nexmo-audit-exporter",
        )],
        notes: &[STATE, VARIABLES],
    },
];

/// Returns the examples of a command, whose names are given with the outermost first.
#[must_use]
pub fn examples(path: &[&str]) -> &'static [Example] {
    let of_command = HELP.iter().find(|help| help.path == path);
    of_command.map_or(&[], |help| help.examples)
}

/// Returns the program with the help of each command.
pub(super) fn with_help(command: Command) -> Command {
    let command = command
        .long_version(LONG_VERSION)
        .override_usage("nexmo-audit-exporter [COMMAND] [OPTIONS]")
        // They are those of serve, where the help has them.
        .mut_args(|arg| arg.hide(true))
        .mut_subcommand("demo", |demo| {
            demo.mut_args(|arg| hide_if(arg, |long| NOT_OF_DEMO.contains(&long)))
        });
    HELP.iter()
        .fold(command, |command, help| at(command, help.path, help))
}

fn at(command: Command, path: &[&str], help: &CommandHelp) -> Command {
    match path.split_first() {
        Some((name, path)) => command.mut_subcommand(name, |inner| at(inner, path, help)),
        None => helped(command, help),
    }
}

fn helped(command: Command, help: &CommandHelp) -> Command {
    let long = long_text(help);
    let (short, command) = if help.short.is_empty() {
        (help.notes.join("\n"), command)
    } else {
        let is_short = |long: &str| long == "help" || help.short.contains(&long);
        let hide = |arg: Arg| match arg.get_long() {
            Some(name) if !is_short(name) => arg.hide_short_help(true),
            _ => arg,
        };
        (MORE.to_owned(), command.mut_args(hide))
    };
    command.after_help(short).after_long_help(long)
}

fn hide_if(arg: Arg, is_hidden: impl FnOnce(&str) -> bool) -> Arg {
    let hidden = arg.get_long().is_some_and(is_hidden);
    if hidden { arg.hide(true) } else { arg }
}

fn long_text(help: &CommandHelp) -> String {
    let mut text = String::new();
    if !help.examples.is_empty() {
        text.push_str("Examples:\n");
    }
    for (purpose, lines) in help.examples {
        text.extend(["  ", purpose, ":\n"]);
        for line in lines.lines() {
            text.extend(["    ", line, "\n"]);
        }
    }
    if !help.examples.is_empty() && !help.notes.is_empty() {
        text.push('\n');
    }
    text.push_str(&help.notes.join("\n"));
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{super::command, *};

    /// Each example is one that the program takes, and each flag that `-h` shows exists.
    #[test]
    fn the_program_knows_what_its_help_names() {
        for help in HELP {
            let mut of_help = command();
            for name in help.path {
                of_help = of_help.find_subcommand(name).expect("a command").clone();
            }
            for short in help.short {
                let has = |arg: &Arg| arg.get_long() == Some(short);
                assert!(of_help.get_arguments().any(has), "{short}");
            }
            let lines = help.examples.iter().flat_map(|(_, lines)| lines.lines());
            let ours = lines.filter_map(|line| line.split_once("nexmo-audit-exporter"));
            for (_, arguments) in ours {
                let arguments = arguments
                    .split([' ', '|', '>'])
                    .filter(|word| !word.is_empty());
                let arguments = arguments.take_while(|word| !["jq", "november.csv"].contains(word));
                let line = std::iter::once("x").chain(arguments);
                let taken = command().try_get_matches_from(line);
                assert!(
                    taken.is_ok(),
                    "{:?}",
                    taken.err().map(|error| error.to_string())
                );
            }
        }
    }

    #[test]
    fn every_command_has_its_help() {
        fn paths(command: &Command, path: &[String]) -> Vec<Vec<String>> {
            let inner = command
                .get_subcommands()
                .filter(|inner| !inner.is_hide_set());
            let below = inner
                .flat_map(|inner| paths(inner, &[path, &[inner.get_name().to_owned()]].concat()));
            std::iter::once(path.to_vec()).chain(below).collect()
        }
        for path in paths(&command(), &[]) {
            let has = HELP.iter().any(|help| help.path == path);
            assert!(has, "{path:?}");
        }
    }
}
