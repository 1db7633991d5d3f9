//! The commands that look at the stored state and move it: `state show`, `state export`
//! and `state import`.
//!
//! - `account_identity` is how a person knows a stored account, and how a command finds
//!   the one that is meant.
//! - `summary` is what `show` has to say, as text or as JSON.
//! - [`Export`] writes an account as lines of JSON, whose form is in `record`.
//! - [`import`] reads such lines, and takes in an account that is whole or none.
//!
//! The store reads and writes the parts of an account one by one, and so do the commands:
//! a million ids are never in memory.

mod account_identity;
mod age;
mod export;
mod export_file;
mod export_file_error;
mod import;
mod record;
mod show;
mod state_error;
mod summary;
mod waiting;

pub(crate) use account_identity::{AccountIdentity, choose};
pub use export::{Export, ExportError, Exported};
pub use export_file_error::{ExportFileError, RecordProblem};
pub use import::{ImportedAccount, StateImportError, import};
pub use state_error::StateError;
pub(crate) use summary::StateSummary;

use std::path::Path;

pub use crate::store::Imported;
use crate::store::StateReader;

/// Opens the state in `directory`, which does not change.
///
/// # Errors
///
/// [`StateError`] if there is no state, or if it cannot be read now.
pub(crate) fn open(directory: &Path) -> Result<StateReader, StateError> {
    Ok(StateReader::open(directory)?)
}
