//! `events types`: the vendor's list of event types.

use std::io::{Write, stdout};

use audit_core::event::EventType;

use super::output;
use crate::{
    config::{OutputFormat, TypesSettings},
    query::{
        history::RetryingClient,
        listing::{csv_row, fitted, printable},
    },
};

/// Lists the event types that the vendor names, in alphabetical order.
///
/// # Errors
/// With what a person can do about it.
pub async fn types(settings: TypesSettings, client: RetryingClient) -> anyhow::Result<()> {
    let mut types = client.types().await?;
    types.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let text = match settings.output {
        OutputFormat::Table => table(&types),
        OutputFormat::Json => types.iter().map(json).collect(),
        OutputFormat::Csv => csv(&types),
    };
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

fn json(known: &EventType) -> String {
    let object = serde_json::json!({"type": known.name, "description": known.description});
    format!("{object}\n")
}

fn csv(types: &[EventType]) -> String {
    let rows = types
        .iter()
        .map(|known| csv_row([&*known.name, &*known.description]));
    std::iter::once(csv_row(["type", "description"]))
        .chain(rows)
        .map(|row| row + "\n")
        .collect()
}

fn table(types: &[EventType]) -> String {
    let names: Vec<_> = types.iter().map(|known| printable(&known.name)).collect();
    let longest = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .max(4);
    let width = output::terminal_width().unwrap_or(usize::MAX);
    let row = |name: &str, description: &str| {
        let line = format!("{name:longest$}  {description}");
        format!("{}\n", fitted(line.trim_end(), width))
    };
    let bold = if output::is_bold_wanted() {
        ("\u{1b}[1m", "\u{1b}[0m\n")
    } else {
        ("", "\n")
    };
    let header = row("TYPE", "DESCRIPTION");
    let mut text = format!("{}{}{}", bold.0, header.trim_end(), bold.1);
    for (name, known) in names.iter().zip(types) {
        text += &row(name, &printable(&known.description));
    }
    text
}
