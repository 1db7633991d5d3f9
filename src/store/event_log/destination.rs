//! The destination of the event log: standard output, or a file that lines are appended to.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write, stdout},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use audit_core::outbox::Line;

use super::EventLogError;
use crate::store::file_identity::FileIdentity;

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
    /// Returns the name of the destination for messages.
    pub(super) fn name(&self) -> String {
        match self {
            Destination::Standard => "standard output".to_owned(),
            Destination::File(file) => file.path.display().to_string(),
        }
    }

    /// Writes lines, and waits until they are on the disk.
    pub(super) fn write(&mut self, lines: &[Line]) -> Result<(), EventLogError> {
        let bytes = lines.iter().map(|line| line.text.len() + 1).sum();
        let mut text = Vec::with_capacity(bytes);
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
