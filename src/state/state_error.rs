//! The errors of a state that cannot be used by a command beside the exporter.

use std::{fs, io, path::PathBuf};

use crate::store::StoreError;

/// The reason why a state cannot be read or changed by a command.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A process uses the state.
    #[error(
        "{} is in use by {user}, and can be read only while nothing uses it: stop that \
         process first; while an exporter runs, its own page and /metrics show its counts",
        path.display()
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// The process, in words.
        user: String,
    },
    /// The user that runs the command has no permission.
    #[error(
        "cannot {doing} {}: {error}: run the command as the user that the exporter runs as",
        path.display()
    )]
    NoPermission {
        /// The action that failed, as a verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the system, which the message contains.
        error: io::Error,
    },
    /// The state cannot be used by any program.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for StateError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AlreadyOpen { path, pid } => Self::InUse {
                path,
                user: pid.map_or_else(|| "another process".to_owned(), in_words),
            },
            StoreError::NoPermission { doing, path, error } => {
                Self::NoPermission { doing, path, error }
            }
            other => Self::Store(other),
        }
    }
}

/// Returns a process with the name of its program, if that can be found.
fn in_words(pid: u32) -> String {
    let arguments = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let program = arguments.split('\0').next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || name.contains(char::is_control) {
        return format!("another process (pid {pid})");
    }
    format!("{name} (pid {pid})")
}
