//! `events get`: all of one event, or of several.

use std::io::{Write, stdout};

use anyhow::{anyhow, bail};
use audit_core::raw_event::{RawEvent, compact};

use crate::{
    api::ApiError,
    config::{GetSettings, OutputFormat},
    query::{
        history::RetryingClient,
        listing::{Zone, csv_header, csv_line, detail, printable},
    },
};

/// Shows events by their ids. Every id is tried, whatever becomes of the others.
///
/// # Errors
/// When an event is not there or could not be had, naming each; the others were
/// written.
pub async fn get(settings: GetSettings, client: RetryingClient) -> anyhow::Result<()> {
    let zone = Zone::of(settings.zone.clone());
    let mut out = stdout().lock();
    let mut failures = Vec::new();
    if settings.output == OutputFormat::Csv {
        writeln!(out, "{}", csv_header())?;
    }
    let mut written = 0;
    for id in &settings.ids {
        let json = match event(&client, id).await {
            Ok(json) => json,
            // Nobody is let in for the next id either.
            Err(error @ GetError::Api(ApiError::Auth { .. })) => bail!("{error}"),
            Err(failure) => {
                failures.push(format!("{}: {failure}", printable(id)));
                continue;
            }
        };
        match settings.output {
            OutputFormat::Table => {
                if written > 0 {
                    writeln!(out)?;
                }
                write!(out, "{}", detail(&RawEvent::parse(&json), &zone))?;
            }
            OutputFormat::Json => writeln!(out, "{}", compact(&json))?,
            OutputFormat::Csv => writeln!(out, "{}", csv_line(&RawEvent::parse(&json), &zone))?,
        }
        out.flush()?;
        written += 1;
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(anyhow!("{}", failures.join("\n  ")))
}

#[derive(Debug, thiserror::Error)]
enum GetError {
    #[error("the API has no such event")]
    NotFound,
    #[error("the answer is no event; check that --api.base-url is an Audit API")]
    NoEvent,
    #[error(transparent)]
    Api(#[from] ApiError),
}

async fn event(client: &RetryingClient, id: &str) -> Result<String, GetError> {
    let json = client.event(id).await?.ok_or(GetError::NotFound)?;
    // What follows an object, or breaks off in it, is no event; nor is what another
    // API says, which may quote the request.
    let record = serde_json::from_str::<RawEvent<'_>>(&json);
    if !record.is_ok_and(|record| record.raw("id").is_some()) {
        return Err(GetError::NoEvent);
    }
    Ok(json)
}
