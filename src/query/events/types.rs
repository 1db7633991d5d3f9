//! `events types`: the vendor's list of event types.

use std::{
    borrow::Cow,
    io::{self, Write, stdout},
};

use audit_core::event::EventType;

use super::output;
use crate::{
    config::{OutputFormat, TypesSettings},
    query::{
        history::RetryingClient,
        listing::{Column, CsvWriter, Table, printable},
    },
};

const COLUMNS: [Column; 2] = [
    Column {
        name: "TYPE",
        width: 4,
        may_be_cut: true,
        colour: "36",
    },
    Column {
        name: "DESCRIPTION",
        width: 0,
        may_be_cut: true,
        colour: "",
    },
];

/// Lists the event types that the vendor names, in alphabetical order.
///
/// # Errors
/// An error that says what a person can do about it.
pub(crate) async fn types(settings: TypesSettings, client: RetryingClient) -> anyhow::Result<()> {
    let mut types = client.types().await?;
    types.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let mut out = stdout().lock();
    match settings.output {
        OutputFormat::Table => out.write_all(table(&types).as_bytes())?,
        OutputFormat::Json => out.write_all(json(&types).as_bytes())?,
        OutputFormat::Csv => write_csv(&types, &mut out)?,
    }
    out.flush()?;
    Ok(())
}

fn json(types: &[EventType]) -> String {
    let object = |known: &EventType| {
        let object = serde_json::json!({"type": known.name, "description": known.description});
        format!("{object}\n")
    };
    types.iter().map(object).collect()
}

fn write_csv(types: &[EventType], out: impl Write) -> io::Result<()> {
    let mut csv = CsvWriter::new(out);
    csv.write_record(["type", "description"])?;
    for known in types {
        csv.write_record(values(known).map(Cow::into_owned))?;
    }
    csv.flush()
}

fn table(types: &[EventType]) -> String {
    let table = Table::new(output::layout(), COLUMNS.to_vec(), types.iter().map(values));
    let rows = types.iter().map(|known| table.row(&values(known)));
    std::iter::once(table.header()).chain(rows).collect()
}

fn values(known: &EventType) -> [Cow<'_, str>; 2] {
    [printable(&known.name), printable(&known.description)]
}
