//! What can go wrong with the stored state, in words that say what to do.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Why the state cannot be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the file.
    #[error(
        "{} is in use by another process{}: stop that one, or give each exporter \
         a storage path of its own",
        path.display(), process(*pid)
    )]
    AlreadyOpen {
        /// The file.
        path: PathBuf,
        /// Who holds it, where that could be found out.
        pid: Option<u32>,
    },
    /// What is there is broken, or no state of this exporter.
    #[error(
        "{} is damaged or not a state file of this exporter ({detail}); it was left as \
         it is: put a backup in its place, or move it away to start without a state",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A newer version of the exporter wrote it.
    #[error(
        "{} has format {format}, written by version {written_by}, and this version knows \
         formats up to {known}; it was left as it is: run version {written_by} or newer, \
         or put a backup in its place",
        path.display()
    )]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The format it has.
        format: u32,
        /// The newest format that this version knows.
        known: u32,
        /// The version of the exporter that wrote it.
        written_by: String,
    },
    /// The file changed while this process did not hold it.
    #[error(
        "{} was changed by another process after a disk error had closed it here; what \
         this process counted since does not fit any more: see that only one exporter \
         uses it, and restart this one",
        path.display()
    )]
    ChangedByAnother {
        /// The file.
        path: PathBuf,
    },
    /// The file that was open is not at its path any more.
    #[error(
        "{} is gone or another file has taken its place: bring it back (is a volume \
         unmounted?), or restart the exporter to go on with what is there",
        path.display()
    )]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// The directory cannot be made, since the one above it is missing.
    #[error(
        "cannot create {}: there is no directory {} (is a volume not mounted?): create it, \
         or choose another storage path",
        path.display(), parent.display()
    )]
    NoParent {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        parent: PathBuf,
    },
    /// Something else is where the directory should be.
    #[error("{} is not a directory: choose another storage path", path.display())]
    NotADirectory {
        /// What should be a directory.
        path: PathBuf,
    },
    /// The user that the exporter runs as may not do that.
    #[error(
        "cannot {doing} {}: {source}: let the user that the exporter runs as write there, \
         or choose another storage path",
        path.display()
    )]
    NoPermission {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk is full, or fails.
    #[error("cannot {doing} {}: {source}: {}", path.display(), remedy(source))]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StoreError {
    /// Whether it may pass by itself or once the disk is mended, so that trying
    /// again makes sense.
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
            | Self::NoParent { .. }
            | Self::NotADirectory { .. } => false,
        }
    }

    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::NoPermission {
                doing,
                path,
                source,
            },
            _ => Self::Io {
                doing,
                path,
                source,
            },
        }
    }

    pub(super) fn damaged(path: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            detail: detail.into(),
        }
    }

    /// What an error of the database means for the file at `path`.
    pub(super) fn database(doing: &'static str, path: &Path, error: redb::Error) -> Self {
        use redb::Error;
        match error {
            // Not a database, or shorter than it says.
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

fn process(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "make room on the disk"
        }
        _ => "check the disk",
    }
}
