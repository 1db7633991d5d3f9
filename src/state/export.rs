//! `state export`: writes one account as lines of JSON.

use std::{
    fs::{self, File, Permissions},
    io::{self, BufWriter, ErrorKind, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use jiff::Timestamp;
use ring::digest;

use super::{
    record::{EXPORT_FORMAT, EndRecord, ExportRecord, HeaderRecord, PROGRAM},
    state_error::StateError,
};
use crate::store::{StateReader, StoreError};

/// The permissions of an export: it holds what only the exporter may know.
const FILE_MODE: u32 = 0o600;
const BUFFER_BYTES: usize = 1 << 16;

/// The numbers of records that were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Ids of counted events.
    pub ids: u64,
    /// Counters of `nexmo_audit_events_total`.
    pub series: u64,
    /// Counters of `nexmo_audit_events_by_type_total`.
    pub types: u64,
    /// Lines of the event log.
    pub lines: u64,
}

/// The reason why an account was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// Standard output cannot be written.
    #[error("standard output cannot be written: {0}")]
    Standard(io::Error),
    /// The file cannot be written.
    #[error("{} cannot be written: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system, which the message contains.
        error: io::Error,
    },
    /// There is a file of that name.
    #[error("{} is there already: choose another name, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// Something other than a file has that name, such as a device.
    #[error(
        "{} is no ordinary file: choose another name, or - for standard output",
        .0.display()
    )]
    NoFile(PathBuf),
    /// The account is not in the state.
    #[error("the state has no account of that API key")]
    NoAccount,
    /// The user has ended the command.
    #[error("interrupted; nothing was exported")]
    Interrupted,
}

/// The failure of writing an export to any destination.
enum WriteFailure {
    Export(ExportError),
    Write(io::Error),
}

impl From<io::Error> for WriteFailure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<StoreError> for WriteFailure {
    fn from(error: StoreError) -> Self {
        Self::Export(StateError::from(error).into())
    }
}

/// An account of a state, as it is to be exported.
#[derive(Debug, Clone, Copy)]
pub struct Export<'s> {
    /// The state.
    pub state: &'s StateReader,
    /// The API key of the account.
    pub api_key: &'s str,
    /// The time of the export.
    pub now: Timestamp,
    /// Set to `true` to end the export early.
    pub is_interrupted: &'s AtomicBool,
}

impl Export<'_> {
    /// Writes the account to `out`, record by record, and flushes it.
    ///
    /// # Errors
    ///
    /// [`ExportError`] if the account cannot be read or written.
    pub fn write_to(&self, out: impl Write) -> Result<Exported, ExportError> {
        self.write(out).map_err(|failure| match failure {
            WriteFailure::Export(error) => error,
            WriteFailure::Write(error) => ExportError::Standard(error),
        })
    }

    /// Writes the account to a file under a temporary name, and renames the file when it
    /// is whole and on the disk. Replaces a file only if `replace` is `true`.
    ///
    /// # Errors
    ///
    /// [`ExportError`] if the account cannot be read or written. There is no file then.
    pub fn write_file(&self, path: &Path, replace: bool) -> Result<Exported, ExportError> {
        let exists = || ExportError::Exists(path.to_owned());
        match fs::symlink_metadata(path) {
            Ok(_) if !replace => return Err(exists()),
            // A device such as /dev/null would be replaced, too.
            Ok(found) if !found.is_file() => return Err(ExportError::NoFile(path.to_owned())),
            _ => {}
        }
        let outcome = self.try_file(path, replace);
        outcome.map_err(|failure| match failure {
            WriteFailure::Export(error) => error,
            WriteFailure::Write(error) if error.kind() == ErrorKind::AlreadyExists => exists(),
            WriteFailure::Write(error) => ExportError::File {
                path: path.to_owned(),
                error,
            },
        })
    }

    fn try_file(&self, path: &Path, replace: bool) -> Result<Exported, WriteFailure> {
        let folder = path.parent().filter(|folder| **folder != *Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        let file = tempfile::Builder::new()
            .prefix(".export.")
            .permissions(Permissions::from_mode(FILE_MODE))
            .tempfile_in(folder)?;
        let exported = self.write(file.as_file())?;
        file.as_file().sync_all()?;
        let kept = if replace {
            file.persist(path)
        } else {
            file.persist_noclobber(path)
        };
        kept.map_err(|error| error.error)?;
        match File::open(folder)?.sync_all() {
            // Some network file systems cannot do that.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {}
            synced => synced?,
        }
        Ok(exported)
    }

    fn write(&self, out: impl Write) -> Result<Exported, WriteFailure> {
        let parts = self.state.parts(self.api_key)?;
        let parts = parts.ok_or(WriteFailure::Export(ExportError::NoAccount))?;
        let mut records = RecordWriter::new(out);
        records.write(&ExportRecord::Export(HeaderRecord {
            program: PROGRAM.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            export_format: EXPORT_FORMAT,
            state_format: self.state.format().0,
            exported_at: self.now,
            api_key: self.api_key.to_owned(),
        }))?;
        for part in parts {
            if self.is_interrupted.load(Ordering::Relaxed) {
                return Err(WriteFailure::Export(ExportError::Interrupted));
            }
            records.write(&part?.into())?;
        }
        Ok(records.end()?)
    }
}

/// Writes records as lines, and computes what the last one says.
struct RecordWriter<W: Write> {
    out: BufWriter<W>,
    line: Vec<u8>,
    sum: digest::Context,
    written: Exported,
}

impl<W: Write> RecordWriter<W> {
    fn new(out: W) -> Self {
        Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, out),
            line: Vec::new(),
            sum: digest::Context::new(&digest::SHA256),
            written: Exported::default(),
        }
    }

    fn write(&mut self, record: &ExportRecord) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, record)?;
        self.line.push(b'\n');
        self.sum.update(&self.line);
        self.written.count(record);
        self.out.write_all(&self.line)
    }

    fn end(mut self) -> io::Result<Exported> {
        let written = self.written;
        let end = written.end(self.sum.clone());
        self.write(&ExportRecord::End(end))?;
        self.out.flush()?;
        Ok(written)
    }
}

impl Exported {
    /// Counts a record.
    pub(super) fn count(&mut self, record: &ExportRecord) {
        match record {
            ExportRecord::Id(_) => self.ids += 1,
            ExportRecord::Series(_) => self.series += 1,
            ExportRecord::Type(_) => self.types += 1,
            ExportRecord::Line(_) => self.lines += 1,
            ExportRecord::Export(_)
            | ExportRecord::Account(_)
            | ExportRecord::Gate(_)
            | ExportRecord::End(_) => {}
        }
    }

    /// Returns the last record after these; `sum` has the lines before it.
    pub(super) fn end(self, sum: digest::Context) -> EndRecord {
        let hex = |byte: &u8| format!("{byte:02x}");
        EndRecord {
            ids: self.ids,
            series: self.series,
            types: self.types,
            lines: self.lines,
            sha256: sum.finish().as_ref().iter().map(hex).collect(),
        }
    }
}
