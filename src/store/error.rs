//! The errors of the store. Each message says what to do.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// The reason why the state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has locked the file.
    #[error(
        "{} is in use by another process{}: stop that process, or give each exporter \
         a storage path of its own",
        path.display(), StoreError::process(*pid)
    )]
    AlreadyOpen {
        /// The file.
        path: PathBuf,
        /// The process, if it could be found.
        pid: Option<u32>,
    },
    /// The file is damaged, or not a state of this exporter.
    #[error(
        "{} is damaged or not a state file of this exporter ({detail}); it was left \
         unchanged: put a backup in its place, or move it away to start without a state",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The damage that was found.
        detail: String,
    },
    /// A newer version of the exporter wrote the file, in a format that this version does
    /// not know.
    #[error(
        "{} has format {format}, written by version {written_by}, and this version knows \
         formats up to {known}; it was left unchanged: run version {written_by} or newer, \
         or put a backup in its place",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        format: u32,
        /// The newest format that this version knows.
        known: u32,
        /// The version of the exporter that wrote the file.
        written_by: String,
    },
    /// Another process wrote to the file after this process had closed it because of an
    /// error.
    #[error(
        "{} was changed by another process after a disk error had closed it here; what \
         this process has counted since then does not fit it: make sure that only one \
         exporter uses the file, and restart this one",
        path.display()
    )]
    ChangedByAnother {
        /// The file.
        path: PathBuf,
    },
    /// The open file is no longer at its path.
    #[error(
        "{} is gone or another file has taken its place: bring it back (is a volume \
         unmounted?), or restart the exporter to go on with what is there",
        path.display()
    )]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// The process is ending and has closed the file.
    #[error("{} is closed, since the exporter is ending", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
    /// A command that only reads found no file.
    #[error(
        "there is no state at {}: check --storage.path, or the config file that sets it",
        path.display()
    )]
    NoState {
        /// The file.
        path: PathBuf,
    },
    /// The directory cannot be created, since its parent is missing.
    #[error(
        "cannot create {}: there is no directory {} (is a volume not mounted?): create it, \
         or choose another storage path",
        path.display(), parent.display()
    )]
    NoParent {
        /// The directory.
        path: PathBuf,
        /// The missing parent.
        parent: PathBuf,
    },
    /// Something other than a directory is at the path.
    #[error("{} is not a directory: choose another storage path", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// The user that the exporter runs as has no permission.
    #[error(
        "cannot {doing} {}: {error}: {}, or choose another storage path",
        path.display(), remedy(error)
    )]
    NoPermission {
        /// The action that failed, as a verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the system, which the message contains.
        error: io::Error,
    },
    /// The disk is full, or an access to it failed.
    #[error("cannot {doing} {}: {error}: {}", path.display(), remedy(error))]
    Io {
        /// The action that failed, as a verb.
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The error of the system, which the message contains.
        error: io::Error,
    },
}

impl StoreError {
    /// Returns `true` if the same call may succeed later, for example once the disk
    /// works again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::AlreadyOpen { .. }
            | Self::Gone { .. }
            | Self::NoPermission { .. }
            | Self::Io { .. } => true,
            Self::Damaged { .. }
            | Self::NewerFormat { .. }
            | Self::ChangedByAnother { .. }
            | Self::Closed { .. }
            | Self::NoState { .. }
            | Self::NoParent { .. }
            | Self::NotADirectory { .. } => false,
        }
    }

    /// Returns what follows the word "process" or "exporter" in a message.
    pub(crate) fn process(pid: Option<u32>) -> String {
        pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
    }

    pub(super) fn io(doing: &'static str, path: &Path, error: io::Error) -> Self {
        let (path, error) = (path.to_owned(), without_name(error));
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Self::NoPermission { doing, path, error }
            }
            _ => Self::Io { doing, path, error },
        }
    }

    pub(super) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }

    /// Translates an error of the database that was opened from `path`.
    pub(super) fn database(doing: &'static str, path: &Path, error: redb::Error) -> Self {
        use redb::Error;
        match error {
            // The file is not a database, or it was cut off.
            Error::Io(source)
                if matches!(
                    source.kind(),
                    ErrorKind::InvalidData | ErrorKind::UnexpectedEof
                ) =>
            {
                Self::damaged(path, source.to_string())
            }
            Error::Io(source) => Self::io(doing, path, source),
            Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => Self::AlreadyOpen {
                path: path.to_owned(),
                pid: None,
            },
            Error::Corrupted(detail) => Self::damaged(path, detail),
            Error::TableDoesNotExist(_)
            | Error::TableTypeMismatch { .. }
            | Error::TableIsMultimap(_)
            | Error::TableIsNotMultimap(_)
            | Error::TypeDefinitionChanged { .. }
            | Error::UpgradeRequired(_) => Self::damaged(path, error.to_string()),
            other => Self::io(doing, path, io::Error::other(other)),
        }
    }
}

/// Returns the error without the name of a temporary file, which says nothing to a person.
pub(super) fn without_name(error: io::Error) -> io::Error {
    match error.kind() {
        kind @ (ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded)
            if error.raw_os_error().is_none() =>
        {
            kind.into()
        }
        _ => error,
    }
}

fn remedy(source: &io::Error) -> String {
    let remedy = match source.kind() {
        ErrorKind::PermissionDenied => {
            let user = exporter_web::current_user();
            return format!("the process runs as {user}: let that user write there");
        }
        ErrorKind::ReadOnlyFilesystem => "mount the file system for writing",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "make room on the disk"
        }
        _ => "check the disk",
    };
    remedy.to_owned()
}
