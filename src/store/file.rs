//! The file and its directory: made so that a crash leaves all of it or nothing,
//! opened so that what is not ours stays as it is.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use redb::{Builder, Database, Error, backends::FileBackend};

use super::{
    error::StoreError,
    file_identity::FileIdentity,
    format::{self, FileFormat},
    held_file::HeldFile,
    lock_owner, read,
    write_id::LastWrite,
};

const FILE_NAME: &str = "state.redb";
/// What a commit touches fits: the counters that change and the newest ids. The rest
/// is read once, at the start, and the system keeps the file in its own cache.
const CACHE_BYTES: usize = 1 << 20;
/// The owner and the group, as far as the umask lets it.
const FILE_MODE: u32 = 0o660;

/// An open file, and which one it is.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) database: Database,
    identity: FileIdentity,
}

/// The path of the file in `directory`.
pub(super) fn path_in(directory: &Path) -> PathBuf {
    directory.join(FILE_NAME)
}

/// Makes the directory and the file if they are missing.
pub(super) fn ensure(directory: &Path, path: &Path) -> Result<(), StoreError> {
    ensure_directory(directory)?;
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => create(directory, path),
        Err(error) => Err(StoreError::io("open", path, error)),
    }
}

/// Opens what is there and brings it to the present format. Not a byte of it is
/// changed before it has been found whole and ours; if this process had it open
/// before, as `left` by it.
pub(super) fn open(path: &Path, left: Option<&LastWrite>) -> Result<OpenFile, StoreError> {
    let failed = |error| StoreError::io("open", path, error);
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(StoreError::damaged(path, "it is no file"));
    }
    // The database takes an empty file for a new one. Ours never is: see `create`.
    if metadata.len() == 0 {
        return Err(StoreError::damaged(path, "it is empty"));
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(failed)?;
    let identity = FileIdentity::of(&file.metadata().map_err(failed)?);
    let opened = guarded("open", path, || open_database(file, left));
    match opened.map_err(|error| lock_owner::added(error, identity))? {
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
        Opening::Open(database) => Ok(OpenFile { database, identity }),
    }
}

/// Runs what uses the database. It answers damage with an error wherever it
/// expects damage, and panics where it does not.
pub(super) fn guarded<T>(
    doing: &'static str,
    path: &Path,
    run: impl FnOnce() -> Result<T, Error>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| StoreError::database(doing, path, error)),
        Err(_) => Err(StoreError::damaged(path, "the database gave up on it")),
    }
}

impl OpenFile {
    /// Whether this is what is at `path`. A file that was deleted, or whose volume
    /// was unmounted, takes writes as before, and nobody would ever read them.
    pub(super) fn is_at(&self, path: &Path) -> Result<bool, StoreError> {
        let found = FileIdentity::at(path).map_err(|error| StoreError::io("find", path, error))?;
        Ok(found == Some(self.identity))
    }
}

enum Opening {
    Open(Database),
    /// Another process has written to it.
    Changed,
    Newer {
        format: u32,
        known: u32,
        written_by: String,
    },
}

fn open_database(file: File, left: Option<&LastWrite>) -> Result<Opening, Error> {
    let file = HeldFile::new(FileBackend::new(file)?);
    let database = builder()
        // Every checksum is verified: what is read later can be trusted.
        .set_check_integrity_on_open(true)
        .create_with_backend(file.clone())?;
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
            if let Some(left) = left {
                if !left.is_ours(read::last_write_id(&database)?) {
                    return Ok(Opening::Changed);
                }
                // It was closed after an error, and the system says only once that
                // something did not come to the disk: what it shows of the file may
                // be in memory alone.
                file.rewrite()?;
            }
            file.release()?;
            format::upgrade(&database, format)?;
            Ok(Opening::Open(database))
        }
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Makes a new file under another name and gives it its own once it is whole, so
/// that an empty or half-made file is always a damaged one and never a new one.
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
        // Another process made one meanwhile. Who of us may use it is decided
        // when it is opened.
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(error.error)),
    }
}

fn initialize(file: File) -> Result<(), Error> {
    let database = builder().create_with_backend(FileBackend::new(file)?)?;
    format::initialize(&database)?;
    Ok(database.close()?)
}

/// Makes the directory, but none above it: a path that is missing as a whole is
/// more likely misspelt or not mounted than meant.
fn ensure_directory(directory: &Path) -> Result<(), StoreError> {
    let not_a_directory = || StoreError::NotADirectory {
        path: directory.to_owned(),
    };
    match fs::create_dir(directory) {
        Ok(()) => sync_directory(parent(directory)),
        Err(error) => match (error.kind(), fs::metadata(directory)) {
            (_, Ok(there)) if there.is_dir() => Ok(()),
            (ErrorKind::AlreadyExists | ErrorKind::NotADirectory, _) => Err(not_a_directory()),
            (ErrorKind::NotFound, _) => Err(StoreError::NoParent {
                path: directory.to_owned(),
                parent: parent(directory).to_owned(),
            }),
            _ => Err(StoreError::io("create", directory, error)),
        },
    }
}

fn parent(directory: &Path) -> &Path {
    match directory.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => directory,
    }
}

/// Makes durable which names a directory holds.
fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    let sync = || File::open(directory)?.sync_all();
    match sync() {
        // Some network file systems know no such thing.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        result => result.map_err(|error: io::Error| StoreError::io("sync", directory, error)),
    }
}
