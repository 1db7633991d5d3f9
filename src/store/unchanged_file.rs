//! Opens a state file that only is to be read, without a change to any of its bytes.
//!
//! The file is opened for reading alone, so that a user who may not write it can read it,
//! and the system itself refuses every write. What the database would write, which is the
//! result of a recovery after a crash and the upgrade from an older format, stays in
//! memory.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
    path::Path,
};

use redb::{Database, Error, StorageBackend, backends::FileBackend};

use super::{
    error::StoreError,
    file::{builder, guarded},
    file_identity::FileIdentity,
    format::{self, FileFormat},
    held_file::HeldFile,
    lock_owner,
};

/// An open state file that does not change.
#[derive(Debug)]
pub(super) struct UnchangedFile {
    /// The content, in the current format.
    pub(super) database: Database,
    /// The format that the file has.
    pub(super) format: u32,
    /// The version of the program that brought the file to its format.
    pub(super) written_by: String,
}

enum Opening {
    Open(UnchangedFile),
    Newer {
        format: u32,
        known: u32,
        written_by: String,
    },
}

/// Opens the file at `path`, and keeps other processes from writing to it meanwhile.
pub(super) fn open(path: &Path) -> Result<UnchangedFile, StoreError> {
    let file = open_for_reading(path)?;
    let opened = guarded("open", path, || open_database(file));
    match opened? {
        Opening::Open(file) => Ok(file),
        Opening::Newer {
            format,
            known,
            written_by,
        } => Err(StoreError::NewerFormat {
            path: path.to_owned(),
            format,
            known,
            written_by,
        }),
    }
}

fn open_for_reading(path: &Path) -> Result<File, StoreError> {
    let failed = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => StoreError::NoState {
            path: path.to_owned(),
        },
        _ => StoreError::io("read", path, error),
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(StoreError::damaged(path, "it is not a regular file"));
    }
    // The database would initialize an empty file.
    if metadata.len() == 0 {
        return Err(StoreError::damaged(path, "it is empty"));
    }
    let file = File::open(path).map_err(failed)?;
    let identity = FileIdentity::of(&file.metadata().map_err(failed)?);
    match file.try_lock_shared() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let path = path.to_owned();
            let in_use = StoreError::AlreadyOpen { path, pid: None };
            Err(lock_owner::add_to(in_use, identity))
        }
        // Some file systems have no locks, and the database does without them there.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn open_database(file: File) -> Result<Opening, Error> {
    let file = SharedFile(HeldFile::new(FileBackend::new(file)?));
    let database = builder()
        .set_check_integrity_on_open(true)
        .create_with_backend(file)?;
    match format::read(&database)? {
        FileFormat::Newer {
            format,
            known,
            written_by,
        } => Ok(Opening::Newer {
            format,
            known,
            written_by,
        }),
        FileFormat::Known(format) => {
            let written_by = format::written_by(&database)?;
            format::upgrade(&database, format)?;
            Ok(Opening::Open(UnchangedFile {
                database,
                format,
                written_by,
            }))
        }
    }
}

/// A file whose writes are held for good, and whose lock is taken already: the lock of
/// the database needs a file that is open for writing.
#[derive(Debug)]
struct SharedFile(HeldFile);

impl StorageBackend for SharedFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write(offset, bytes)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}
