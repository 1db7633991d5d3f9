//! `check-config`: reads and tries everything that `serve` would use, and changes nothing.

use exporter_web::{WebConfigFile, bind};

use super::run::environment;
use crate::{
    config::{EventLogSettings, Options, Problems, Settings, Sources},
    exporter::ports,
    store::{StoreError, try_appending, try_state},
};

/// Reads the settings and the web configuration.
///
/// # Errors
/// The [`Problems`] of both together.
pub(super) fn settings(
    options: &Options,
    sources: Sources,
) -> Result<(Settings, WebConfigFile), Problems> {
    let web = WebConfigFile::read(options.web.config_file.as_deref()).map_err(Problems::from);
    let settings = Settings::check(options, environment(&options.account, sources));
    match (settings, web) {
        (Ok(settings), Ok(web)) => Ok((settings, web)),
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
        (Err(problems), Err(of_web)) => Err(problems.and(of_web)),
    }
}

/// Writes that the configuration can be used, with its warnings.
///
/// # Errors
/// All [`Problems`] together: those of the settings, or of the places that they name.
#[expect(clippy::print_stdout, reason = "it is what was asked for")]
pub(super) async fn run(options: &Options, sources: Sources) -> anyhow::Result<()> {
    let (settings, web) = settings(options, sources)?;
    let doubts = try_places(&settings).await?;
    let warnings = web.warnings();
    for warning in warnings.iter().chain(&settings.warnings).chain(&doubts) {
        println!("Warning: {warning}");
    }
    let number = match settings.accounts.len() {
        1 => "1 account".to_owned(),
        accounts => format!("{accounts} accounts"),
    };
    let names = settings.accounts.iter();
    let names: Vec<&str> = names
        .filter_map(|account| account.name.as_deref())
        .collect();
    // The counts of an account that comes to a shard have to be moved there.
    if options.shard.count.is_some() && !names.is_empty() {
        let names = names.join(", ");
        println!("The configuration can be used: {number}: {names}.");
    } else {
        println!("The configuration can be used: {number}.");
    }
    Ok(())
}

/// Tries the state, the event log and the ports, and keeps none of them. Returns what could
/// not be tried.
async fn try_places(settings: &Settings) -> Result<Vec<String>, Problems> {
    let mut problems = Vec::new();
    let mut doubts = Vec::new();
    let mut is_running = false;
    match try_state(&settings.storage_path) {
        Ok(()) => {}
        Err(StoreError::AlreadyOpen { path, pid }) => {
            let path = path.display();
            let process = pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
            doubts.push(format!(
                "an exporter{process} uses {path}, so that neither the state nor a port that is in use could be tried"
            ));
            is_running = true;
        }
        Err(error) => problems.push(format!("--storage.path: {error}")),
    }
    if let Some(problem) = settings.event_log.as_ref().and_then(event_log_problem) {
        problems.push(problem);
    }
    if let Err(errors) = bind(&ports(settings)).await {
        let errors = errors.0.into_iter();
        let of_others = errors.filter(|error| !(is_running && error.is_in_use()));
        problems.extend(of_others.map(|error| error.to_string()));
    }
    if problems.is_empty() {
        Ok(doubts)
    } else {
        Err(Problems::new(problems))
    }
}

fn event_log_problem(settings: &EventLogSettings) -> Option<String> {
    let path = settings.path.as_deref()?;
    let error = try_appending(path).err()?;
    let path = path.display();
    Some(format!(
        "--events.log {path} cannot be written: {error}; the folder must exist, and let the user that the exporter runs as write there"
    ))
}
