//! Reads an export record by record, and trusts it only once its last record fits.

use std::{
    cmp::Ordering,
    io::{BufRead, Read},
};

use ring::digest;
use serde_json::Value;

use super::{
    export::Exported,
    export_file_error::{ExportFileError, RecordProblem},
    record::{EXPORT_FORMAT, ExportRecord, HeaderRecord, PROGRAM},
};
use crate::{config::is_api_key, store::StoredPart};

/// The longest line that is read: more than the longest event has, and little enough for
/// the memory.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// An export that is read record by record. The iterator yields the parts of the account,
/// and ends without an error only if the export is whole.
pub(super) struct ExportFile<R> {
    input: R,
    name: String,
    line: u64,
    text: Vec<u8>,
    sum: digest::Context,
    read: Exported,
    previous: Option<StoredPart>,
    has_ended: bool,
}

impl<R: BufRead> ExportFile<R> {
    /// Reads the first record of `input`. Errors call the file `name`.
    pub(super) fn open(input: R, name: &str) -> Result<(HeaderRecord, Self), ExportFileError> {
        let mut file = Self {
            input,
            name: name.to_owned(),
            line: 0,
            text: Vec::new(),
            sum: digest::Context::new(&digest::SHA256),
            read: Exported::default(),
            previous: None,
            has_ended: false,
        };
        match file.header() {
            Ok(header) => Ok((header, file)),
            Err(problem) => Err(file.error(problem)),
        }
    }

    fn header(&mut self) -> Result<HeaderRecord, RecordProblem> {
        if !self.read_line()? {
            return Err(RecordProblem::Foreign);
        }
        let header: Value =
            serde_json::from_slice(&self.text).map_err(|_| RecordProblem::Foreign)?;
        if header["record"] != "export" || header["program"] != PROGRAM {
            return Err(RecordProblem::Foreign);
        }
        let format = header["export_format"].as_u64();
        let format = format.ok_or(RecordProblem::Foreign)?;
        if format > EXPORT_FORMAT.into() {
            let version = header["version"].as_str().unwrap_or("unknown");
            return Err(RecordProblem::Newer {
                format,
                known: EXPORT_FORMAT,
                version: version.chars().filter(|c| !c.is_control()).collect(),
            });
        }
        let ExportRecord::Export(header) = self.record()? else {
            return Err(RecordProblem::Foreign);
        };
        if !is_api_key(&header.api_key) {
            return Err(RecordProblem::ApiKey);
        }
        Ok(header)
    }

    /// Reads the next line into `text`. Returns `false` at the end of the file.
    fn read_line(&mut self) -> Result<bool, RecordProblem> {
        self.line += 1;
        self.text.clear();
        let mut limited = (&mut self.input).take(MAX_LINE_BYTES);
        let read = limited.read_until(b'\n', &mut self.text)?;
        if read as u64 == MAX_LINE_BYTES {
            return Err(RecordProblem::TooLong(MAX_LINE_BYTES));
        }
        Ok(read > 0)
    }

    fn record(&mut self) -> Result<ExportRecord, RecordProblem> {
        let record = serde_json::from_slice(&self.text);
        let record: ExportRecord = record.map_err(|error| {
            // The text of the error is not used, since it may quote the line.
            if error.is_eof() && !self.text.ends_with(b"\n") {
                RecordProblem::CutOff
            } else {
                RecordProblem::NotARecord
            }
        })?;
        if !matches!(record, ExportRecord::End(_)) {
            self.sum.update(&self.text);
            self.read.count(&record);
        }
        Ok(record)
    }

    fn next_part(&mut self) -> Result<Option<StoredPart>, RecordProblem> {
        if !self.read_line()? {
            return Err(RecordProblem::CutOff);
        }
        let part = match self.record()? {
            ExportRecord::Export(_) => return Err(RecordProblem::Misplaced),
            ExportRecord::Account(account) => account.part(),
            ExportRecord::Gate(gate) => gate.part()?,
            ExportRecord::Id(id) => id.part()?,
            ExportRecord::Series(series) => series.part()?,
            ExportRecord::Type(counter) => counter.part()?,
            ExportRecord::Line(line) => line.part(),
            ExportRecord::End(end) => {
                let has_gate = self.previous.as_ref().map_or(0, rank) > 0;
                if !has_gate || end != self.read.end(self.sum.clone()) {
                    return Err(RecordProblem::Changed);
                }
                if self.read_line()? {
                    return Err(RecordProblem::AfterEnd);
                }
                return Ok(None);
            }
        };
        check_order(self.previous.as_ref(), &part)?;
        self.previous = Some(part.clone());
        Ok(Some(part))
    }

    fn error(&self, problem: RecordProblem) -> ExportFileError {
        ExportFileError {
            name: self.name.clone(),
            line: self.line,
            problem,
        }
    }
}

impl<R: BufRead> Iterator for ExportFile<R> {
    type Item = Result<StoredPart, ExportFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let next = self.next_part().map_err(|problem| self.error(problem));
        self.has_ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

/// Checks that `part` has its place after `previous`: see [`StoredPart`].
fn check_order(previous: Option<&StoredPart>, part: &StoredPart) -> Result<(), RecordProblem> {
    let Some(previous) = previous else {
        let is_first = matches!(part, StoredPart::Progress(_));
        return is_first.then_some(()).ok_or(RecordProblem::Misplaced);
    };
    let order = match (previous, part) {
        (StoredPart::Id(one), StoredPart::Id(next)) => {
            (one.time.as_second(), one.id).cmp(&(next.time.as_second(), next.id))
        }
        (StoredPart::Series(one, ..), StoredPart::Series(next, ..)) => one.cmp(next),
        (StoredPart::Type(one, ..), StoredPart::Type(next, ..)) => one.cmp(next),
        (StoredPart::Line(one), StoredPart::Line(next)) => one.number.cmp(&next.number),
        // The memory of the gate must not be left out.
        (StoredPart::Progress(_), StoredPart::Gate(_)) => Ordering::Less,
        (StoredPart::Progress(_), _) => return Err(RecordProblem::Misplaced),
        _ if rank(previous) < rank(part) => Ordering::Less,
        _ => return Err(RecordProblem::Misplaced),
    };
    let is_next = order == Ordering::Less;
    is_next.then_some(()).ok_or(RecordProblem::Repeated)
}

fn rank(part: &StoredPart) -> u8 {
    match part {
        StoredPart::Progress(_) => 0,
        StoredPart::Gate(_) => 1,
        StoredPart::Id(_) => 2,
        StoredPart::Series(..) => 3,
        StoredPart::Type(..) => 4,
        StoredPart::Line(_) => 5,
    }
}
