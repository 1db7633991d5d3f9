//! Standard output: a terminal of some width, or a pipe whose reader may leave.

use std::{
    env,
    io::{self, BufWriter, IsTerminal, StdoutLock, Write, stdout},
};

use audit_core::raw_event::{RawEvent, compact};

use crate::{
    config::{EventColumn, OutputFormat},
    query::listing::{CsvWriter, EventTable, Layout, Zone, detail},
};

type Output = BufWriter<StdoutLock<'static>>;

/// Writes events to standard output.
#[derive(Debug)]
pub(super) struct EventPrinter {
    form: Form,
    zone: Zone,
    /// The columns of a table or of CSV; empty for those that the format has by itself.
    columns: Vec<EventColumn>,
}

#[derive(Debug)]
enum Form {
    /// A row for each event; the first events decide the columns.
    Table(Output, Option<EventTable>),
    /// All fields of each event, and an empty line between two events.
    Details {
        out: Output,
        is_first: bool,
    },
    Json(Output),
    Csv(Box<CsvWriter<StdoutLock<'static>>>),
}

impl EventPrinter {
    /// Returns a printer of lists, where a table has a row for each event.
    pub(super) fn of_lists(
        format: OutputFormat,
        zone: Zone,
        columns: Vec<EventColumn>,
    ) -> io::Result<Self> {
        Self::new(format, zone, columns, |out| Form::Table(out, None))
    }

    /// Returns a printer of single events, where a table has a line for each field.
    pub(super) fn of_details(format: OutputFormat, zone: Zone) -> io::Result<Self> {
        Self::new(format, zone, Vec::new(), |out| Form::Details {
            out,
            is_first: true,
        })
    }

    fn new(
        format: OutputFormat,
        zone: Zone,
        columns: Vec<EventColumn>,
        table: impl FnOnce(Output) -> Form,
    ) -> io::Result<Self> {
        let out = stdout().lock();
        let form = match format {
            OutputFormat::Table => table(BufWriter::new(out)),
            OutputFormat::Json => Form::Json(BufWriter::new(out)),
            OutputFormat::Csv => {
                let mut csv = CsvWriter::new(out);
                csv.write_event_header(&columns)?;
                csv.flush()?;
                Form::Csv(Box::new(csv))
            }
        };
        Ok(Self {
            form,
            zone,
            columns,
        })
    }

    /// Writes events, given as JSON, and flushes them.
    pub(super) fn print<'j>(
        &mut self,
        events: impl Iterator<Item = &'j str> + Clone,
    ) -> io::Result<()> {
        let (zone, columns) = (&self.zone, &self.columns);
        match &mut self.form {
            Form::Table(out, table) => {
                let events: Vec<_> = events.map(RawEvent::parse).collect();
                let new = || EventTable::new(layout(), zone.clone(), columns, &events);
                print_rows(out, table, new, &events)?;
                out.flush()
            }
            Form::Details { out, is_first } => {
                for json in events {
                    if !std::mem::replace(is_first, false) {
                        writeln!(out)?;
                    }
                    write!(out, "{}", detail(&RawEvent::parse(json), zone))?;
                }
                out.flush()
            }
            Form::Json(out) => {
                for json in events {
                    writeln!(out, "{}", compact(json))?;
                }
                out.flush()
            }
            Form::Csv(csv) => {
                for json in events {
                    csv.write_event(&RawEvent::parse(json), columns, zone)?;
                }
                csv.flush()
            }
        }
    }
}

fn print_rows(
    out: &mut Output,
    table: &mut Option<EventTable>,
    new: impl FnOnce() -> EventTable,
    events: &[RawEvent<'_>],
) -> io::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    if table.is_none() {
        let new = new();
        out.write_all(new.header().as_bytes())?;
        *table = Some(new);
    }
    for row in table
        .iter()
        .flat_map(|table| events.iter().map(|event| table.row(event)))
    {
        out.write_all(row.as_bytes())?;
    }
    Ok(())
}

/// Returns `true` if the reader of standard output has left, which is no failure of
/// the command.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

/// Returns how a table is drawn on standard output.
pub(super) fn layout() -> Layout {
    Layout {
        width: terminal_width(),
        has_colours: has_colours(),
    }
}

/// Returns the width of the terminal, in columns; `None` if standard output is no
/// terminal.
fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(stdout())?;
    // 0 is the width of a terminal that does not know its own.
    Some(usize::from(width.0)).filter(|columns| *columns > 0)
}

/// Returns `true` if a table has colours; see <https://no-color.org>.
fn has_colours() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    stdout().is_terminal()
        && !is_set("NO_COLOR")
        && env::var_os("TERM").is_some_and(|term| term != "dumb")
}
