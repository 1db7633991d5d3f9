//! Makes the settings of the config file the defaults of the flags, so that flags and the
//! environment take precedence, and every value is checked in one place.

use std::{collections::BTreeMap, path::Path};

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};
use exporter_web::{FileError, ReadFile};
use yaml_tree::YamlError;

use super::variables;
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
/// [`Problems`] if the file cannot be read, or is not YAML.
pub(super) fn read(
    command: &Command,
    path: &Path,
    read: impl FnOnce(&Path) -> Result<ReadFile, FileError>,
) -> Result<ConfigFile, Problems> {
    let name = path.display();
    let unreadable = |error| {
        Problems::new(vec![format!(
            "--config.file {name} cannot be read: {error}"
        )])
    };
    let file = read(path).map_err(unreadable)?;
    let open_to_all = file.is_open_to_all();
    let text = file.text().map_err(unreadable)?;
    let mut file = ConfigFile::parse(&text).map_err(|error| {
        Problems::new(vec![format!("{name}:{}: {}", error.line, error.problem)])
    })?;
    file.path = name.to_string();
    file.open_to_all = open_to_all;
    let problems = &mut file.problems;
    file.settings.retain(|name, FileSetting { line, values }| {
        let found = problem(arg(command, name), name, values);
        if let Some(problem) = found {
            let problem = format!("{} {problem}", name.replace('-', "_"));
            problems.push(YamlError {
                line: *line,
                problem,
            });
        }
        found.is_none()
    });
    problems.sort_unstable();
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
pub(super) fn keep_used(settings: &mut FileSettings, command: &Command, chosen: &ArgMatches) {
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
    let is_boolean = matches!(values, [one] if variables::is_boolean(one.as_ref()));
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
            if name != "events.log" || !NO_PATHS.iter().any(|name| name.eq_ignore_ascii_case(value))
            {
                *value = folder.join(&value).to_string_lossy().into_owned();
            }
        }
    }
    for entry in file.accounts.iter_mut().flatten() {
        if let Some(EntrySecret::File(secret)) = &mut entry.secret {
            *secret = folder.join(&secret);
        }
    }
}
