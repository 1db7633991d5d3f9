//! `backfill`: the history before the first scrape, as OpenMetrics text from which
//! `promtool tsdb create-blocks-from openmetrics` makes blocks.
//!
//! An exporter whose `--poll.start` is the `--from` of the history continues its
//! counters. Nothing is written before everything is read, so that every file is
//! complete.

mod grid;
mod openmetrics;
mod output;

use audit_core::event::{Element, Labels, types_from_zero};

use crate::{
    api::ApiError,
    config::{BackfillOutput, BackfillSettings},
    query::{
        ProgressLine, end_progress,
        history::{History, HistoryQuery, IncompleteRange, RawElement, RetryingClient},
        print_message,
    },
};
use grid::{Grid, SampleTimes};

/// Writes the history of a range.
///
/// # Errors
/// An error if the range cannot be read or the history cannot be written. No file has
/// changed then. [`IncompleteRange`] after everything that the API returns was written, if
/// that is less than it reports.
pub(crate) async fn run(settings: BackfillSettings, client: RetryingClient) -> anyhow::Result<()> {
    let (grid, missing) = read(&settings, client).await?;
    // The reader of a pipe may never read, and a signal ends the command all the same.
    let writing = tokio::task::spawn_blocking(move || {
        output::write(&grid, &settings.labels, &settings.output)?;
        anyhow::Ok(report(&grid, &settings))
    });
    print_message(&writing.await??);
    IncompleteRange::unless_none(missing)?;
    Ok(())
}

/// Reads the history. Returns it with the number of events that the API reports and does
/// not return.
async fn read(settings: &BackfillSettings, client: RetryingClient) -> anyhow::Result<(Grid, u64)> {
    let times = SampleTimes::new(settings.from, settings.to, settings.step);
    let mut grid = Grid::new(times, settings.max_series);
    let filter = &settings.query.account.filter;
    // The exporter, too, counts without the list of types.
    let named = match client.types().await {
        Ok(named) => named,
        // Where no answer can be had, there is no history either.
        Err(error @ (ApiError::Transport { .. } | ApiError::Timeout)) => return Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "the list of event types could not be read; the series of a type that is not known begins with its first event");
            Vec::new()
        }
    };
    grid.name_types(types_from_zero(&named).filter(|name| filter.admits(name)));
    // An event after the end opens its series, so that the server, which goes on from the
    // history, has its 0.
    let query = HistoryQuery {
        from: settings.from,
        to: None,
        types: Vec::new(),
        search_text: None,
    };
    let mut history = History::new(client, query, ProgressLine::on_terminal());
    let mut inaccuracies = Inaccuracies::default();
    let mut missing = 0;
    while let Some(piece) = history.next_piece(labels).await? {
        missing += piece.missing;
        for event in piece.events {
            match event.created_at {
                _ if !filter.admits(&event.value.event_type) => {}
                Some(created_at) => grid.count(event.value, created_at),
                None => inaccuracies.timeless += 1,
            }
        }
    }
    end_progress();
    inaccuracies.overflow = grid.overflow();
    inaccuracies.warn();
    Ok((grid, missing))
}

fn labels(element: &RawElement<'_>) -> Option<Labels<'static>> {
    match element.element {
        Element::Event(event) => Some(owned(&event.labels)),
        Element::Malformed(_) => None,
    }
}

fn owned(labels: &Labels<'_>) -> Labels<'static> {
    let own = |value: &str| value.to_owned().into();
    Labels {
        event_type: own(&labels.event_type),
        source: own(&labels.source),
        source_country: own(&labels.source_country),
    }
}

/// The differences between the history and the events that happened.
#[derive(Debug, Default)]
struct Inaccuracies {
    timeless: u64,
    overflow: u64,
}

impl Inaccuracies {
    fn warn(&self) {
        let Self { timeless, overflow } = *self;
        if timeless > 0 {
            tracing::warn!(timeless, "events without a readable time are left out");
        }
        if overflow > 0 {
            tracing::warn!(
                overflow,
                "there are more label combinations than --metrics.max-series; the exporter may count other combinations under other"
            );
        }
    }
}

fn report(grid: &Grid, settings: &BackfillSettings) -> String {
    let file = match &settings.output {
        BackfillOutput::Standard => "FILE".to_owned(),
        BackfillOutput::File(path) => path.display().to_string(),
        BackfillOutput::Directory(path) => format!("{} (each)", path.join("*.om").display()),
    };
    let (from, to) = (settings.from, settings.to);
    format!(
        "{} events from {from} to {to}, in {} series\n  \
         to load them: promtool tsdb create-blocks-from openmetrics {file} DATA_DIRECTORY\n  \
         to continue without a jump: nexmo-audit-exporter serve --poll.start={from}, started for the first time after this",
        grid.events(),
        grid.series().len() + grid.types().len(),
    )
}
