//! `events get`: all fields of one event, or of several.

use std::iter::once;

use anyhow::{anyhow, bail};
use audit_core::raw_event::RawEvent;

use super::output::EventPrinter;
use crate::{
    api::ApiError,
    config::GetSettings,
    query::{
        history::RetryingClient,
        listing::{Zone, printable},
    },
};

/// Shows events by their ids. A failure of one id does not keep the others from being
/// shown.
///
/// # Errors
/// An error with the id of each event that does not exist or cannot be read. The other
/// events are written.
pub(crate) async fn get(settings: GetSettings, client: RetryingClient) -> anyhow::Result<()> {
    let zone = Zone::new(settings.zone.clone());
    let mut printer = EventPrinter::of_details(settings.output, zone)?;
    let mut failures = Vec::new();
    for id in &settings.ids {
        match event(&client, id).await {
            Ok(json) => printer.print(once(&*json))?,
            // A rejected key is rejected for the next id as well.
            Err(error @ GetError::Api(ApiError::Auth { .. })) => bail!("{error}"),
            Err(error) => failures.push(format!("{}: {error}", printable(id))),
        }
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
    #[error("the answer is not an event; check that --api.base-url is an Audit API")]
    NoEvent,
    #[error(transparent)]
    Api(#[from] ApiError),
}

async fn event(client: &RetryingClient, id: &str) -> Result<String, GetError> {
    let json = client.event(id).await?.ok_or(GetError::NotFound)?;
    // JSON that breaks off, or that is followed by more text, is not an event. Neither is
    // the answer of another API, which may quote the request.
    let event = serde_json::from_str::<RawEvent<'_>>(&json);
    if !event.is_ok_and(|event| event.raw("id").is_some()) {
        return Err(GetError::NoEvent);
    }
    Ok(json)
}
