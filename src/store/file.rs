//! Creates and opens the state file.
//!
//! A crash while the file is created leaves a whole file or none. A file that this
//! exporter cannot use is left unchanged.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use redb::{Builder, Database, Error, WriteTransaction, backends::FileBackend};

use super::{
    commit_slots::CommitSlots,
    error::StoreError,
    file_identity::FileIdentity,
    format::{self, FileFormat},
    held_file::HeldFile,
    lock_owner, read, tidy,
    write_id::LastWrite,
};

const FILE_NAME: &str = "state.redb";
/// The size of the cache: enough for what a write touches, which is the counters that
/// change and the newest ids. The rest is read once, at the start, and the system has a
/// cache of its own.
const CACHE_BYTES: usize = 1 << 20;
/// The size of the largest file in which removed lines are overwritten at the end.
const TIDIED_AT_END: u64 = 32 << 20;
/// The permissions of a new file: readable and writable by owner and group, as far as the
/// umask allows.
const FILE_MODE: u32 = 0o660;

/// An open state file.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) database: Database,
    identity: FileIdentity,
    /// `true` if the file goes on from the commit before the last.
    pub(super) has_lost_one: bool,
}

/// Returns the path of the state file in `directory`.
pub(super) fn path_in(directory: &Path) -> PathBuf {
    directory.join(FILE_NAME)
}

/// Creates the directory and the state file if they are missing.
pub(super) fn ensure(directory: &Path, path: &Path) -> Result<(), StoreError> {
    ensure_directory(directory)?;
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => create(directory, path),
        Err(error) => Err(StoreError::io("open", path, error)),
    }
}

/// Opens the state file and upgrades it to the current format. Nothing in the file
/// changes before it is known to be an undamaged state of this exporter. `last_write` is
/// set if this process opens the file again; the file must then be as it left it.
pub(super) fn open(path: &Path, last_write: Option<&LastWrite>) -> Result<OpenFile, StoreError> {
    let failed = |error| StoreError::io("open", path, error);
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(StoreError::damaged(path, "it is not a regular file"));
    }
    // The database would initialize an empty file. A state file is never empty: see
    // `create`.
    if metadata.len() == 0 {
        return Err(StoreError::damaged(path, "it is empty"));
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(failed)?;
    let identity = FileIdentity::of(&file.metadata().map_err(failed)?);
    let opened = guarded("open", path, || open_database(file, last_write));
    match opened.map_err(|error| lock_owner::add_to(error, identity))? {
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
        Opening::Changed => Err(StoreError::ChangedByAnother {
            path: path.to_owned(),
        }),
        Opening::Open(database, has_lost_one) => Ok(OpenFile {
            database,
            identity,
            has_lost_one,
        }),
    }
}

/// Runs `run`, which uses the database. The database returns an error for the damage
/// that it expects in a file, and panics on other damage.
pub(super) fn guarded<T>(
    doing: &'static str,
    path: &Path,
    run: impl FnOnce() -> Result<T, Error>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| StoreError::database(doing, path, error)),
        Err(_) => Err(StoreError::damaged(path, "the database panicked on it")),
    }
}

impl OpenFile {
    /// Gives back what the file at `path` no longer needs; see [`tidy`](super::tidy).
    pub(super) fn tidy(&mut self, path: &Path) -> Result<(), StoreError> {
        let metadata = fs::metadata(path).map_err(|error| StoreError::io("open", path, error))?;
        guarded("write", path, || {
            tidy::tidy(&mut self.database, metadata.len())
        })
    }

    /// Overwrites removed lines of the event log, unless the file is so large that the end of
    /// the process has no time for it.
    pub(super) fn tidy_at_end(&mut self, path: &Path) -> Result<(), StoreError> {
        let length = fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len());
        let are_removed = || tidy::are_lines_removed(&self.database);
        if length > TIDIED_AT_END || !guarded("read", path, are_removed)? {
            return Ok(());
        }
        self.tidy(path)
    }

    /// Returns `true` if this file is still at `path`. A file that was deleted, or whose
    /// volume was unmounted, still accepts writes, but nobody could read them later.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, StoreError> {
        let found = FileIdentity::at(path).map_err(|error| StoreError::io("find", path, error))?;
        Ok(found == Some(self.identity))
    }
}

enum Opening {
    /// The database, and [`OpenFile::has_lost_one`].
    Open(Database, bool),
    /// Another process has written to the file.
    Changed,
    Newer {
        format: u32,
        known: u32,
        written_by: String,
    },
}

fn open_database(file: File, last_write: Option<&LastWrite>) -> Result<Opening, Error> {
    let file = HeldFile::new(FileBackend::new(file)?);
    let found = CommitSlots::read(&file)?;
    let database = builder()
        // Verifies all checksums, so that what is read later can be trusted.
        .set_check_integrity_on_open(true)
        .create_with_backend(file.clone())?;
    let opened = CommitSlots::read(&file)?;
    let slots = found.zip(opened);
    let has_lost_one = slots.is_some_and(|(found, opened)| found.have_lost_one(opened));
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
            if let Some(last_write) = last_write {
                if !last_write.is_ours(read::last_write_id(&database)?) {
                    return Ok(Opening::Changed);
                }
                // The file was closed after an error. The system reports only once that
                // data did not reach the disk, so parts of the file may be in memory
                // only.
                file.rewrite()?;
            }
            file.release()?;
            format::upgrade(&database, format)?;
            Ok(Opening::Open(database, has_lost_one))
        }
    }
}

pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Begins a transaction. Its commit is whole on the disk before the file names it as the
/// current one, which costs a second wait for the disk: a current commit that is not whole
/// is then known to be damage, and the file is refused. Otherwise the database would take it
/// for a commit that a crash has cut off, and go on from the one before it in silence.
pub(super) fn begin_write(database: &Database) -> Result<WriteTransaction, Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Creates the file under a temporary name and renames it once it is whole, so that an
/// empty or incomplete file is always a damaged one.
fn create(directory: &Path, path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::io("create", path, error);
    let new = tempfile::Builder::new()
        .prefix("state.redb.")
        .suffix(".new")
        .permissions(Permissions::from_mode(FILE_MODE))
        .tempfile_in(directory)
        .map_err(failed)?;
    let file = new.reopen().map_err(failed)?;
    guarded("create", path, || initialize(file))?;
    new.as_file().sync_all().map_err(failed)?;
    match new.persist_noclobber(path) {
        Ok(_) => sync_directory(directory),
        // Another process created the file meanwhile. The process that locks the file
        // when it opens it may use it.
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error.error)),
    }
}

fn initialize(file: File) -> Result<(), Error> {
    let database = builder().create_with_backend(FileBackend::new(file)?)?;
    format::initialize(&database)?;
    Ok(database.close()?)
}

/// Creates the directory, but not its parent: if the parent is missing, the path is
/// probably misspelt, or a volume is not mounted.
fn ensure_directory(directory: &Path) -> Result<(), StoreError> {
    match fs::create_dir(directory) {
        Ok(()) => sync_directory(parent(directory)),
        Err(error) => match fs::metadata(directory) {
            Ok(there) if there.is_dir() => Ok(()),
            _ => Err(not_created(directory, error)),
        },
    }
}

/// Returns the error of a directory that cannot be created.
pub(super) fn not_created(directory: &Path, error: io::Error) -> StoreError {
    let path = directory.to_owned();
    match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => StoreError::NotADirectory { path },
        ErrorKind::NotFound => StoreError::NoParent {
            path,
            parent: parent(directory).to_owned(),
        },
        _ => StoreError::io("create", directory, error),
    }
}

/// Returns the directory that a path is in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Makes sure that new names in a directory are on the disk.
fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    let sync = || File::open(directory)?.sync_all();
    match sync() {
        // Some network file systems cannot do that.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        result => result.map_err(|error: io::Error| StoreError::io("sync", directory, error)),
    }
}
