//! `check-config`: reads and tries everything that `serve` would use, and changes nothing.

use exporter_web::WebConfigFile;

use super::run::environment;
use crate::{
    config::{Options, Places, Problems, Settings, Sources},
    exporter::try_places,
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
    both(settings, web)
}

/// Returns both values, or the problems of both together.
fn both<A, B>(one: Result<A, Problems>, other: Result<B, Problems>) -> Result<(A, B), Problems> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
        (Err(problems), Err(others)) => Err(problems.and(others)),
    }
}

/// Writes that the configuration can be used, with its warnings.
///
/// # Errors
/// All [`Problems`] together: those of the settings, and those of the places that they name.
#[expect(clippy::print_stdout, reason = "it is what was asked for")]
pub(super) async fn run(options: &Options, sources: Sources) -> anyhow::Result<()> {
    let checked = settings(options, sources);
    let tried = try_places(&Places::of(options)).await;
    let ((settings, web), doubts) = both(checked, tried)?;
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
