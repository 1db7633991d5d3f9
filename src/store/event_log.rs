//! Writes the event log: reads the lines that were stored with the counts, in order,
//! and reports the last written line, so that the next commit removes the lines up to it
//! from the state.
//!
//! Counting never waits for the event log. If the log cannot be written, its lines wait
//! in the state, and writing is tried again.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write, stdout},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use audit_core::outbox::{Line, Written};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::task::spawn_blocking;

use super::{StoreError, file_identity::FileIdentity, handles::EventLogLines};
use crate::metrics::EventLogMetrics;

/// The highest number of bytes that are written at once, except for a longer line.
const BATCH_BYTES: usize = 256 * 1024;
/// The wait after the first of several failures in a row.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest wait between two failures.
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// The permissions of a new file: writable by the owner and readable by the group, as far
/// as the umask allows.
const FILE_MODE: u32 = 0o640;

/// The destination of the log.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Standard output.
    Standard,
    /// A file.
    File(LogFile),
}

/// A file that lines are appended to. It is created again if it was moved away.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    open: Option<File>,
}

#[derive(Debug, thiserror::Error)]
enum EventLogError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("standard output cannot be written: {0}")]
    Standard(io::Error),
    #[error("{} cannot be written: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

/// Writes the lines of one account.
#[derive(Debug)]
pub(crate) struct EventLog {
    lines: EventLogLines,
    destination: Arc<Mutex<Destination>>,
    written: Written,
    metrics: EventLogMetrics,
}

impl LogFile {
    /// Returns a log file that is opened, or created, when it is first written.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    /// Appends whole lines, and waits until they are on the disk.
    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        let mut file = match self.open.take() {
            Some(file) if self.is_current(&file) => file,
            _ => self.reopen()?,
        };
        file.write_all(text)?;
        match file.sync_data() {
            // A pipe has no disk.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            synced => synced?,
        }
        // After an error the file is opened again, since it may end with part of a line.
        self.open = Some(file);
        Ok(())
    }

    fn is_current(&self, file: &File) -> bool {
        let found = FileIdentity::at(&self.path);
        let open = file.metadata().map(|metadata| FileIdentity::of(&metadata));
        open.is_ok_and(|open| found.is_ok_and(|found| found == Some(open)))
    }

    fn reopen(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(FILE_MODE);
        let is_file = fs::metadata(&self.path).map_or(true, |metadata| metadata.is_file());
        if !is_file {
            return options.open(&self.path);
        }
        let mut file = options.read(true).open(&self.path)?;
        if file.seek(SeekFrom::End(0))? > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                // A crash has left part of a line. The whole line will be written again.
                file.write_all(b"\n")?;
            }
        }
        Ok(file)
    }
}

impl Destination {
    fn write(&mut self, lines: &[Line]) -> Result<(), EventLogError> {
        let mut text = Vec::with_capacity(BATCH_BYTES);
        for line in lines {
            text.extend_from_slice(line.text.as_bytes());
            text.push(b'\n');
        }
        match self {
            Destination::Standard => {
                let mut out = stdout().lock();
                let written = out.write_all(&text).and_then(|()| out.flush());
                written.map_err(EventLogError::Standard)
            }
            Destination::File(file) => file.append(&text).map_err(|source| EventLogError::File {
                path: file.path.clone(),
                source,
            }),
        }
    }
}

/// Returns the waits after failures in a row; each is twice as long as the last.
fn waits_after_failures() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST_RETRY)
        .with_max_delay(LONGEST_RETRY)
        .without_max_times()
        .build()
}

impl EventLog {
    /// Returns a log of `lines`. Accounts may share the `destination`. `written` gets the
    /// number of the last written line.
    pub(crate) fn new(
        lines: EventLogLines,
        destination: Arc<Mutex<Destination>>,
        written: Written,
        metrics: EventLogMetrics,
    ) -> Self {
        Self {
            lines,
            destination,
            written,
            metrics,
        }
    }

    /// Writes stored lines until the future is dropped.
    pub(crate) async fn run(mut self) {
        let mut waits = waits_after_failures();
        let mut failing = false;
        loop {
            let (log, outcome) = self.write_stored().await;
            self = log;
            match outcome {
                Ok(()) => {
                    if std::mem::take(&mut failing) {
                        tracing::info!("the event log is written again, from where it stopped");
                    }
                    waits = waits_after_failures();
                    self.lines.wait_for_new().await;
                }
                Err(error) => {
                    self.metrics.failures.inc();
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "the event log cannot be written; counting goes on, and the lines wait in the state");
                    }
                    let wait = waits.next().unwrap_or(LONGEST_RETRY);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Writes all stored lines, on a thread that may wait for the disk.
    async fn write_stored(mut self) -> (Self, Result<(), EventLogError>) {
        let write = move || {
            let outcome = self.write_batches();
            (self, outcome)
        };
        match spawn_blocking(write).await {
            Ok(outcome) => outcome,
            Err(panicked) if panicked.is_panic() => {
                std::panic::resume_unwind(panicked.into_panic())
            }
            // The runtime is ending, and this task with it.
            Err(_) => std::future::pending().await,
        }
    }

    fn write_batches(&mut self) -> Result<(), EventLogError> {
        loop {
            let lines = self.lines.after(self.written.get(), BATCH_BYTES)?;
            let Some(last) = lines.last() else {
                return Ok(());
            };
            let destination = self.destination.lock();
            // After a panic the file is opened again.
            let mut destination = destination.unwrap_or_else(PoisonError::into_inner);
            destination.write(&lines)?;
            self.written.set(last.number);
        }
    }
}
