//! `state import`: takes in one account from lines of JSON.

use std::{io::BufRead, path::Path};

use jiff::Timestamp;

use super::{
    account_identity::AccountIdentity, export_file::ExportFile, export_file_error::ExportFileError,
    state_error::StateError,
};
use crate::{
    config::AccountNames,
    store::{Conflicts, ImportError, Imported, SomeCounters, Store},
};

/// An account that was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedAccount {
    /// The API key under which the account is stored.
    pub api_key: String,
    /// The time of the export.
    pub exported_at: Timestamp,
    /// What was done.
    pub outcome: Imported,
}

/// The reason why an account was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum StateImportError {
    /// The file cannot be imported.
    #[error(transparent)]
    File(#[from] ExportFileError),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The stored account is further on than the imported one.
    #[error("{}", ahead(name, api_key, conflicts))]
    Ahead {
        /// The name of the file.
        name: String,
        /// The API key of the account.
        api_key: String,
        /// What the stored account is ahead in.
        conflicts: Box<Conflicts>,
    },
}

/// Takes the account of the export `input` into the state in `directory`, which is created
/// if it is missing, whole or not at all. Errors call the file `name`. The account is
/// stored under `api_key` if that is given, and otherwise under the key that it had.
///
/// # Errors
///
/// [`StateImportError`] if nothing was imported.
pub fn import(
    directory: &Path,
    input: impl BufRead,
    name: &str,
    api_key: Option<&str>,
) -> Result<ImportedAccount, StateImportError> {
    // A file that is no export at all does not create a state.
    let (header, parts) = ExportFile::open(input, name)?;
    let api_key = api_key.map_or(header.api_key, str::to_owned);
    let mut store = Store::open(directory).map_err(StateError::from)?;
    let imported = store.import(&api_key, parts);
    let outcome = imported.map_err(|error| match error {
        ImportError::Store(error) => StateError::from(error).into(),
        ImportError::Source(error) => error.into(),
        ImportError::Ahead(conflicts) => StateImportError::Ahead {
            name: name.to_owned(),
            api_key: api_key.clone(),
            conflicts,
        },
    })?;
    Ok(ImportedAccount {
        api_key,
        exported_at: header.exported_at,
        outcome,
    })
}

fn ahead(name: &str, api_key: &str, conflicts: &Conflicts) -> String {
    let account = AccountIdentity::of(api_key, &AccountNames::default());
    let mut text = format!(
        "{name}: nothing was imported, since {account} is further on in the state than in the file:"
    );
    for conflict in words(conflicts) {
        text.push_str("\n  ");
        text.push_str(&conflict);
    }
    text.push_str(
        "\nGo on with the state as it is, or import into another --storage.path. To go back to \
         the file all the same, move state.redb away first; servers then see counters fall.",
    );
    text
}

fn words(conflicts: &Conflicts) -> Vec<String> {
    let Conflicts {
        watermark,
        history,
        falling,
        missing,
        unknown_ids,
    } = conflicts;
    let watermark = watermark.map(|(stored, imported)| {
        let imported = imported.map_or_else(
            || "has read nothing".to_owned(),
            |imported| format!("is read up to {imported}"),
        );
        format!("the state is read up to {stored}, and the file {imported}")
    });
    let history = history
        .then(|| "the state has counted all of the history, and the file has not".to_owned());
    let falling = counters(falling, "would fall");
    let missing = counters(missing, "are not in the file");
    let unknown = (*unknown_ids > 0)
        .then(|| format!("{unknown_ids} events were counted here that the file does not know"));
    let all = [watermark, history, falling, missing, unknown];
    all.into_iter().flatten().collect()
}

fn counters(counters: &SomeCounters, what: &str) -> Option<String> {
    let SomeCounters { count, first } = counters;
    let more = if *count > first.len() as u64 {
        " and others"
    } else {
        ""
    };
    let named = first.join(", ");
    (*count > 0).then(|| format!("{count} counters {what}: {named}{more}"))
}
