//! Standard output: a terminal of some width, or a pipe whose reader may leave.

use std::{
    env,
    io::{self, BufWriter, IsTerminal, StdoutLock, Write, stdout},
};

use audit_core::raw_event::{RawEvent, compact};

use crate::{
    config::OutputFormat,
    query::listing::{Layout, Table, Zone, csv_header, csv_line},
};

/// Writes events, in the form that was asked for.
#[derive(Debug)]
pub(super) struct Printer {
    out: BufWriter<StdoutLock<'static>>,
    form: OutputFormat,
    zone: Zone,
    /// Once there was an event to find its columns by.
    table: Option<Table>,
}

impl Printer {
    pub(super) fn new(form: OutputFormat, zone: Zone) -> io::Result<Self> {
        let mut out = BufWriter::new(stdout().lock());
        if form == OutputFormat::Csv {
            writeln!(out, "{}", csv_header())?;
            out.flush()?;
        }
        Ok(Self {
            out,
            form,
            zone,
            table: None,
        })
    }

    /// Writes events, given as JSON; they are on their way when it returns.
    pub(super) fn print<'j>(
        &mut self,
        events: impl Iterator<Item = &'j str> + Clone,
    ) -> io::Result<()> {
        if self.form == OutputFormat::Table
            && self.table.is_none()
            && events.clone().next().is_some()
        {
            let records: Vec<_> = events.clone().map(RawEvent::parse).collect();
            let table = Table::new(layout(self.zone.clone()), &records);
            self.out.write_all(table.header().as_bytes())?;
            self.table = Some(table);
        }
        for json in events {
            match (self.form, &self.table) {
                (OutputFormat::Table, Some(table)) => {
                    self.out
                        .write_all(table.row(&RawEvent::parse(json)).as_bytes())?;
                }
                (OutputFormat::Csv, _) => {
                    writeln!(self.out, "{}", csv_line(&RawEvent::parse(json), &self.zone))?;
                }
                _ => writeln!(self.out, "{}", compact(json))?,
            }
        }
        self.out.flush()
    }
}

/// Whether whoever read standard output has left, which is no failure of ours.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

fn layout(zone: Zone) -> Layout {
    Layout {
        width: terminal_width(),
        bold: is_bold_wanted(),
        zone,
    }
}

/// `None` where standard output is no terminal.
pub(super) fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(stdout())?;
    // A terminal that does not know says 0.
    Some(usize::from(width.0)).filter(|columns| *columns > 0)
}

/// See <https://no-color.org>.
pub(super) fn is_bold_wanted() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    stdout().is_terminal()
        && !is_set("NO_COLOR")
        && env::var_os("TERM").is_some_and(|term| term != "dumb")
}
