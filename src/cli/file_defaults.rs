//! Makes the settings of the config file the defaults of the flags, so that flags and the
//! environment take precedence, and every value is checked in one place.

use std::{collections::BTreeMap, fmt, path::Path};

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};
use exporter_web::{FileError, ReadFile};

use crate::config::{ConfigFile, EntrySecret, FileSetting, Problems};

type FileSettings = BTreeMap<String, FileSetting>;

/// Flags that hold paths. In the config file, a relative path begins at the folder of
/// the file.
const PATHS: [&str; 4] = [
    "api.secret-file",
    "events.log",
    "storage.path",
    "web.config.file",
];
/// Values of `events.log` that are not paths.
const NO_PATHS: [&str; 2] = ["none", "stdout"];

/// Reads a config file with the flags of `serve`, which include those of every other
/// command. Relative paths become paths that begin at the folder of the file.
///
/// # Errors
/// All [`Problems`] together, each with the path and the line.
pub(super) fn read(
    command: &Command,
    path: &Path,
    read: impl FnOnce(&Path) -> Result<ReadFile, FileError>,
) -> Result<ConfigFile, Problems> {
    let named = |problem: &dyn fmt::Display| format!("{}: {problem}", path.display());
    let unreadable = |error| Problems::new(vec![named(&format_args!("cannot be read: {error}"))]);
    let file = read(path).map_err(unreadable)?;
    let open_to_all = file.is_open_to_all();
    let text = file.text().map_err(unreadable)?;
    let file = ConfigFile::parse(&text);
    let mut file = file.map_err(|problems| problems.map(|problem| named(&problem)))?;
    file.path = path.display().to_string();
    file.open_to_all = open_to_all;
    let mut problems = Vec::new();
    for (name, setting) in &file.settings {
        if let Some(problem) = problem(arg(command, name), name, &setting.values) {
            let (line, written) = (setting.line, name.replace('-', "_"));
            problems.push(named(&format_args!("line {line}: {written} {problem}")));
        }
    }
    if !problems.is_empty() {
        return Err(Problems::new(problems));
    }
    begin_paths_at(path.parent().unwrap_or(Path::new("")), &mut file);
    Ok(file)
}

/// Makes each setting the default of its flag, in the command that `names` name.
pub(super) fn give(command: Command, names: &[String], settings: &FileSettings) -> Command {
    if let Some((name, inner)) = names.split_first() {
        return command.mut_subcommand(name, |command| give(command, inner, settings));
    }
    command.mut_args(|arg| {
        let setting = arg.get_long().and_then(|long| settings.get(long));
        match setting {
            Some(setting) => arg.default_values(setting.values.clone()),
            None => arg,
        }
    })
}

/// Keeps the settings that neither a flag nor the environment has replaced.
pub(super) fn keep_used(
    settings: &mut FileSettings,
    command: &Command,
    matches: &ArgMatches,
    names: &[String],
) {
    let chosen = names.iter().fold(matches, |matches, name| {
        matches.subcommand_matches(name).unwrap_or(matches)
    });
    settings.retain(|name, _| {
        let source = arg(command, name).and_then(|arg| {
            let id = arg.get_id().as_str();
            chosen.try_contains_id(id).ok()?;
            chosen.value_source(id)
        });
        source.is_none_or(|source| source == ValueSource::DefaultValue)
    });
}

/// Returns the flag of `serve` with this name.
fn arg<'c>(command: &'c Command, name: &str) -> Option<&'c Arg> {
    let serve = command.find_subcommand("serve").unwrap_or(command);
    let mut args = serve.get_arguments();
    args.find(|arg| arg.get_long() == Some(name))
}

fn problem(arg: Option<&Arg>, name: &str, values: &[String]) -> Option<&'static str> {
    let is_boolean = matches!(values, [one] if one == "true" || one == "false");
    match arg.map(Arg::get_action) {
        _ if name == "config.file" => Some("cannot be set in the file itself"),
        None => Some(
            "is unknown; settings are named like the flags of serve, with nesting in place of dots",
        ),
        Some(ArgAction::SetTrue) if !is_boolean => Some("must be true or false"),
        Some(ArgAction::Append | ArgAction::SetTrue) => None,
        Some(_) => (values.len() > 1).then_some("must be one value"),
    }
}

fn begin_paths_at(folder: &Path, file: &mut ConfigFile) {
    for name in PATHS {
        let setting = file.settings.get_mut(name);
        for value in setting.into_iter().flat_map(|setting| &mut setting.values) {
            if name != "events.log" || !NO_PATHS.contains(&&**value) {
                *value = folder.join(&value).to_string_lossy().into_owned();
            }
        }
    }
    for entry in file.accounts.iter_mut().flatten() {
        if let EntrySecret::File(secret) = &mut entry.secret {
            *secret = folder.join(&secret);
        }
    }
}
