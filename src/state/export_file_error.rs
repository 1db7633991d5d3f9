//! The errors of a file that is to be imported. Nothing of the content of a line is in
//! them, since the lines of an event log may hold personal data.

use std::io;

/// The reason why a file cannot be imported, with the place of the fault.
#[derive(Debug, thiserror::Error)]
#[error("{name}:{line}: {problem}; nothing was imported")]
pub struct ExportFileError {
    /// The name of the file, as it was given.
    pub name: String,
    /// The line, from 1.
    pub line: u64,
    /// The fault.
    pub problem: RecordProblem,
}

/// A fault of one line of an export.
#[derive(Debug, thiserror::Error)]
pub enum RecordProblem {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The file was not written by `state export`.
    #[error(
        "this is not an export of {}; `state export` writes files that can be imported",
        super::record::PROGRAM
    )]
    Foreign,
    /// A newer version wrote the file.
    #[error(
        "the export has format {format}, written by version {version}, and this version \
         knows formats up to {known}: import it with version {version} or newer"
    )]
    Newer {
        /// The format of the export.
        format: u64,
        /// The newest format that this version knows.
        known: u32,
        /// The version that wrote the export.
        version: String,
    },
    /// The API key cannot be one.
    #[error("the API key is empty, or has a character that no API key has: {DAMAGED}")]
    ApiKey,
    /// The line is not a record.
    #[error("the line is no record of an export: {DAMAGED}")]
    NotARecord,
    /// The line is longer than any record.
    #[error("the line is longer than {0} bytes, and no record is: {DAMAGED}")]
    TooLong(u64),
    /// The record belongs to another place.
    #[error("a record of this kind does not belong here: {DAMAGED}")]
    Misplaced,
    /// The record before has the same key, or a later one.
    #[error("the record is there twice, or out of order: {DAMAGED}")]
    Repeated,
    /// The id is not in the form of a UUID, or its time has a part of a second.
    #[error("the id is no UUID in lower case, or its time is no whole second: {DAMAGED}")]
    Id,
    /// More is published than was counted.
    #[error("{published} events are published of {total} that were counted: {DAMAGED}")]
    PublishedAboveTotal {
        /// The published value.
        published: u64,
        /// The total.
        total: u64,
    },
    /// The scrapers cannot be read.
    #[error("the ids of the scrapers are no numbers, or out of order: {DAMAGED}")]
    Scrapers,
    /// The file has no last record.
    #[error("the file ends before its last record, so it was cut off: export again")]
    CutOff,
    /// The file is not as it was written.
    #[error("the file is not as it was written: its checksum or its numbers differ: {DAMAGED}")]
    Changed,
    /// Something follows the last record.
    #[error("there is more after the last record: {DAMAGED}")]
    AfterEnd,
}

/// What to do about a file that is not as it was written.
const DAMAGED: &str = "export again, and copy the file whole";
