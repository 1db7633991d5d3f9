//! The environment variables of the flags.
//!
//! A variable that is empty is as if it were not set: compose files and charts write such
//! variables for settings that nobody made.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
};

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    builder::{BoolishValueParser, TypedValueParser},
    parser::ValueSource,
};

const PREFIX: &str = "NEXMO_AUDIT_";
/// What the flags of `simulate` have after the prefix: they are about an account and an API of
/// their own.
const SIMULATE: &str = "SIMULATE_";
/// The flags without a variable, by command. A file that is written is named where the command
/// is given; a variable that chooses the form of another command's output is none.
const WITHOUT_VARIABLE: [(&str, &str); 2] = [("backfill", "output"), ("export", "output")];
/// How alike two names are, from 0 to 1, of which one may be meant by the other.
const ALIKE: f64 = 0.9;

/// Returns the value of a variable.
pub(super) type Value<'v> = &'v dyn Fn(&str) -> Option<OsString>;

/// Gives each flag of a command its variable, except where the variable has a value that the
/// flag cannot have: [`problems`] names those.
pub(super) fn give(command: Command, value: Value<'_>) -> Command {
    let name = command.get_name().to_owned();
    command.mut_args(|arg| {
        let is_switch = is_switch(&arg);
        let arg = if is_switch {
            arg.value_parser(BoolishValueParser::new())
        } else {
            arg
        };
        match variable_of(&name, &arg) {
            Some(variable) if is_usable(value(&variable).as_deref(), is_switch) => {
                // The help says by which rule a variable is named.
                arg.env(variable).hide_env(true).hide_env_values(true)
            }
            _ => arg,
        }
    })
}

/// Returns `true` if a text is one of the words for true and false.
pub(super) fn is_boolean(text: &OsStr) -> bool {
    let parser = BoolishValueParser::new();
    parser.parse_ref(&Command::new(""), None, text).is_ok()
}

/// Returns the variables from which flags of a command have their values, by the long name of
/// the flag.
pub(super) fn used(command: &Command, matches: &ArgMatches) -> BTreeMap<String, String> {
    let args = command.get_arguments();
    let used = args.filter(|arg| {
        let id = arg.get_id().as_str();
        matches.try_contains_id(id).is_ok()
            && matches.value_source(id) == Some(ValueSource::EnvVariable)
    });
    let used = used.filter_map(|arg| {
        let variable = variable_of(command.get_name(), arg)?;
        Some((arg.get_long()?.to_owned(), variable))
    });
    used.collect()
}

/// Returns a problem for each variable of a command whose value its flag cannot have.
pub(super) fn problems(command: &Command, value: Value<'_>) -> Vec<String> {
    let switches = command.get_arguments().filter(|arg| is_switch(arg));
    let variables = switches.filter_map(|arg| variable_of(command.get_name(), arg));
    let wrong = variables.filter(|variable| {
        let value = value(variable);
        value.is_some_and(|value| !value.is_empty() && !is_boolean(&value))
    });
    wrong
        .map(|variable| format!("{variable} must be true or false"))
        .collect()
}

/// Returns a warning for each variable that looks like one of a flag and is none, of any
/// command.
pub(super) fn unknown(
    all: &Command,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Vec<String> {
    let mut known = BTreeSet::new();
    add_variables(all, &mut known);
    let names = variables
        .into_iter()
        .filter(|(name, value)| !value.is_empty() && !is_service_link(name, value));
    let names = names.filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| name.starts_with(PREFIX) && !known.contains(name))
        .collect();
    names.sort_unstable();
    names.iter().map(|name| warning(name, &known)).collect()
}

fn warning(name: &str, known: &BTreeSet<String>) -> String {
    const SECRET: &str = "NEXMO_AUDIT_API_SECRET";
    const KEY: &str = "NEXMO_AUDIT_API_KEY";
    // The prefix is alike in all.
    let likeness =
        |other: &&String| strsim::jaro_winkler(&name[PREFIX.len()..], &other[PREFIX.len()..]);
    let nearest = known
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|nearest| likeness(nearest) >= ALIKE);
    let advice = match (name, nearest) {
        (SECRET, _) => "the secret is in NEXMO_API_SECRET".to_owned(),
        (KEY, _) => "the key is in NEXMO_API_KEY".to_owned(),
        (_, Some(nearest)) => format!("is {nearest} meant?"),
        (_, None) => "the flags and their variables are in the help".to_owned(),
    };
    format!("{name} is unknown and has no effect; {advice}")
}

fn add_variables(command: &Command, known: &mut BTreeSet<String>) {
    let variables = command
        .get_arguments()
        .filter_map(|arg| variable_of(command.get_name(), arg));
    known.extend(variables);
    for inner in command.get_subcommands() {
        add_variables(inner, known);
    }
}

/// Returns the variable of a flag: `NEXMO_AUDIT_` and the flag in capitals, dots and dashes as
/// underscores.
fn variable_of(command: &str, arg: &Arg) -> Option<String> {
    let long = arg.get_long()?;
    if matches!(long, "help" | "version") || WITHOUT_VARIABLE.contains(&(command, long)) {
        return None;
    }
    let is_shared = long.contains('.');
    let own = if command == "simulate" && !is_shared {
        SIMULATE
    } else {
        ""
    };
    let flag = long.to_uppercase().replace(['.', '-'], "_");
    Some(format!("{PREFIX}{own}{flag}"))
}

fn is_switch(arg: &Arg) -> bool {
    arg.get_long().is_some() && matches!(arg.get_action(), ArgAction::SetTrue)
}

fn is_usable(value: Option<&OsStr>, is_switch: bool) -> bool {
    value.is_none_or(|value| !value.is_empty() && (!is_switch || is_boolean(value)))
}

/// Returns `true` for the variables that Kubernetes and Docker set for a service: a service
/// with a name like `nexmo-audit` has variables that begin like those of the flags.
fn is_service_link(name: &OsStr, value: &OsStr) -> bool {
    let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
    name.contains("_SERVICE_")
        || value.contains("://") && name.contains("_PORT")
        || name.contains("_PORT_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    #[test]
    fn unknown_variables_are_named_with_what_may_be_meant() {
        let set = [
            ("NEXMO_AUDIT_POLL_INTERVALL", "30s"),
            ("NEXMO_AUDIT_API_SECRET", "s3cret"),
            ("NEXMO_AUDIT_API_KEY", "abcd1234"),
            ("NEXMO_AUDIT_XYZZY", "1"),
            ("NEXMO_AUDIT_EMPTY", ""),
            ("NEXMO_AUDIT_POLL_INTERVAL", "30s"),
            ("NEXMO_AUDIT_SIMULATE_RATE", "1"),
            ("NEXMO_AUDIT_LIMIT", "1"),
            ("NEXMO_AUDIT_EXPORTER_SERVICE_HOST", "10.0.0.1"),
            ("NEXMO_AUDIT_EXPORTER_PORT", "tcp://10.0.0.1:10610"),
            ("NEXMO_AUDIT_EXPORTER_PORT_10610_TCP_PROTO", "tcp"),
            ("NEXMO_API_KEY", "abcd1234"),
        ];
        let set = set.map(|(name, value)| (name.into(), value.into()));
        let expected = [
            "NEXMO_AUDIT_API_KEY is unknown and has no effect; the key is in NEXMO_API_KEY",
            "NEXMO_AUDIT_API_SECRET is unknown and has no effect; the secret is in NEXMO_API_SECRET",
            "NEXMO_AUDIT_POLL_INTERVALL is unknown and has no effect; is NEXMO_AUDIT_POLL_INTERVAL meant?",
            "NEXMO_AUDIT_XYZZY is unknown and has no effect; the flags and their variables are in the help",
        ];
        assert_eq!(unknown(&command(), set), expected);
    }

    #[test]
    fn a_switch_takes_the_words_that_people_write() {
        for text in ["1", "true", "TRUE", "Yes", "on", "0", "false", "No", "off"] {
            assert!(is_boolean(text.as_ref()), "{text}");
        }
        for text in ["", "2", "maybe"] {
            assert!(!is_boolean(text.as_ref()), "{text}");
        }
    }

    #[test]
    fn a_variable_means_one_thing() {
        let command = command();
        let simulate = command.find_subcommand("simulate").expect("simulate");
        let variables = simulate
            .get_arguments()
            .filter_map(|arg| variable_of("simulate", arg));
        let own = variables.filter(|name| name.starts_with("NEXMO_AUDIT_SIMULATE_"));
        assert!(own.count() > 20);
        let backfill = command.find_subcommand("backfill").expect("backfill");
        let output = backfill
            .get_arguments()
            .find(|arg| arg.get_long() == Some("output"));
        assert_eq!(variable_of("backfill", output.expect("--output")), None);
    }
}
