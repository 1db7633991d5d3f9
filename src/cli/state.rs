//! The commands that work on the stored state, from arguments to outcome.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write, stdin, stdout},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context;
use jiff::Timestamp;

use super::{StateAction, run::ShutdownSignals};
use crate::{
    config::{ExportSettings, ImportSettings, ShowFormat, ShowSettings, Sources},
    query::print_message,
    state::{
        AccountIdentity, Export, ExportError, Exported, Imported, ImportedAccount, StateError,
        StateSummary, choose, import, open,
    },
};

pub(super) async fn run(action: StateAction, sources: Sources) -> anyhow::Result<()> {
    match action {
        StateAction::Show(options) => show(&ShowSettings::check(&options, sources)?),
        StateAction::Export(options) => export(ExportSettings::check(&options, sources)?).await,
        StateAction::Import(options) => import_account(&ImportSettings::check(&options, sources)?),
    }
}

fn show(settings: &ShowSettings) -> anyhow::Result<()> {
    let state = open(&settings.storage_path)?;
    let keys = state.api_keys().map_err(StateError::from)?;
    let mut accounts = AccountIdentity::all(&keys, &settings.names);
    if settings.account.is_some() {
        accounts = vec![choose(&accounts, settings.account.as_deref())?.clone()];
    }
    let summary = StateSummary::read(&state, &accounts, &settings.names);
    let summary = summary.map_err(StateError::from)?;
    let text = match settings.format {
        ShowFormat::Text => summary.text(Timestamp::now()),
        ShowFormat::Json => summary.json()?,
    };
    stdout().write_all(text.as_bytes())?;
    Ok(())
}

async fn export(settings: ExportSettings) -> anyhow::Result<()> {
    let mut signals = ShutdownSignals::new()?;
    let is_interrupted = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&is_interrupted);
    let has_file = settings.file.is_some();
    let mut exporting = tokio::task::spawn_blocking(move || export_account(&settings, &asked));
    tokio::select! {
        outcome = &mut exporting => outcome?,
        () = signals.next() => {
            is_interrupted.store(true, Ordering::Relaxed);
            if has_file {
                // Removes what was begun.
                return exporting.await?;
            }
            // The reader of standard output may never read again.
            Err(ExportError::Interrupted.into())
        }
    }
}

fn export_account(settings: &ExportSettings, is_interrupted: &AtomicBool) -> anyhow::Result<()> {
    let state = open(&settings.storage_path)?;
    let keys = state.api_keys().map_err(StateError::from)?;
    let accounts = AccountIdentity::all(&keys, &settings.names);
    let account = choose(&accounts, settings.account.as_deref())?;
    let export = Export {
        state: &state,
        api_key: &account.api_key,
        now: Timestamp::now(),
        is_interrupted,
    };
    let exported = match &settings.file {
        Some(path) => export.write_file(path, settings.replace)?,
        None => export.write_to(stdout().lock())?,
    };
    print_message(&exported_in_words(account, exported));
    Ok(())
}

fn exported_in_words(account: &AccountIdentity, exported: Exported) -> String {
    let Exported {
        ids,
        series,
        types,
        lines,
    } = exported;
    let personal = if lines > 0 {
        "; the lines may hold personal data"
    } else {
        ""
    };
    format!(
        "{account} was exported: {ids} ids, {series} series, {types} types, \
         {lines} lines of the event log{personal}"
    )
}

fn import_account(settings: &ImportSettings) -> anyhow::Result<()> {
    let (input, name): (Box<dyn BufRead>, _) = match &settings.file {
        None => (Box::new(stdin().lock()), "standard input".to_owned()),
        Some(path) => {
            let name = path.display().to_string();
            let file = File::open(path).with_context(|| format!("{name} cannot be read"))?;
            (Box::new(BufReader::new(file)), name)
        }
    };
    let imported = import(
        &settings.storage_path,
        input,
        &name,
        settings.api_key.as_deref(),
    )?;
    let account = AccountIdentity::of(&imported.api_key, &settings.names);
    print_message(&imported_in_words(&account, &imported));
    Ok(())
}

fn imported_in_words(account: &AccountIdentity, imported: &ImportedAccount) -> String {
    let at = format!("{:.0}", imported.exported_at);
    match imported.outcome {
        Imported::New => format!("{account} was imported as it was at {at}"),
        Imported::Replaced => {
            format!("{account} was imported as it was at {at}, in place of an earlier state of it")
        }
        Imported::Unchanged => {
            format!("{account} is stored as it was at {at} already; nothing was changed")
        }
    }
}
