//! `backfill`: what happened before a server scraped, as OpenMetrics text that
//! `promtool tsdb create-blocks-from openmetrics` makes blocks of.
//!
//! The counters of the exporter go on where these end, if both count from the same
//! moment: `--from` here is `--poll.start` there. Nothing is written before all is
//! read, so that what is there is whole.

mod grid;
mod openmetrics;

use std::{
    fs::{self, Permissions},
    io::{self, BufWriter, Write, stdout},
    ops::Range,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::Context;
use audit_core::event::{Element, Labels};
use jiff::{Timestamp, tz::Offset};

use crate::{
    config::{BackfillOutput, BackfillSettings},
    query::history::{History, HistoryQuery, ProgressLine, RawElement, RetryingClient},
};
use grid::{Grid, SampleTimes};
use openmetrics::AddedLabels;

/// Writes the history of a range.
///
/// # Errors
/// With what a person can do about it. Then nothing was written.
pub(crate) async fn run(settings: BackfillSettings, client: RetryingClient) -> anyhow::Result<()> {
    let grid = read(&settings, client).await?;
    match &settings.output {
        BackfillOutput::Standard => {
            write(
                &grid,
                &grid.times().whole(),
                &settings.labels,
                stdout().lock(),
            )?;
        }
        BackfillOutput::File(path) => {
            write_file(&grid, &grid.times().whole(), &settings.labels, path)?;
        }
        BackfillOutput::Directory(path) => write_days(&grid, &settings.labels, path)?,
    }
    say(&report(&grid, &settings));
    Ok(())
}

async fn read(settings: &BackfillSettings, client: RetryingClient) -> anyhow::Result<Grid> {
    let times = SampleTimes::new(settings.from, settings.to, settings.step);
    let mut grid = Grid::new(times, settings.max_series);
    let filter = &settings.query.account.filter;
    match client.types().await {
        Ok(types) => {
            let names = types.iter().map(|known| known.name.as_str());
            grid.name_types(names.filter(|name| filter.admits(name)));
        }
        // As with the exporter, counting goes on without it.
        Err(error) => {
            tracing::warn!(%error, "the list of event types could not be had; types begin at 0 only where they are seen");
        }
    }
    // What came after the end opens its series, so that who goes on finds its 0.
    let wanted = HistoryQuery {
        from: settings.from,
        to: None,
        types: Vec::new(),
        search_text: None,
    };
    let mut history = History::new(client, wanted, ProgressLine::on_terminal());
    let mut inaccuracies = Inaccuracies::default();
    while let Some(piece) = history.next_piece(labels).await? {
        inaccuracies.missing += piece.missing;
        for event in piece.events {
            match event.created_at {
                _ if !filter.admits(&event.value.event_type) => {}
                Some(created_at) => grid.count(event.value, created_at),
                None => inaccuracies.timeless += 1,
            }
        }
    }
    history.progress().end();
    inaccuracies.overflow = grid.overflow();
    inaccuracies.warn();
    Ok(grid)
}

fn labels(found: &RawElement<'_>) -> Option<Labels<'static>> {
    match found.element {
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

/// What the history does not tell as it was.
#[derive(Debug, Default)]
struct Inaccuracies {
    missing: u64,
    timeless: u64,
    overflow: u64,
}

impl Inaccuracies {
    fn warn(&self) {
        let Self {
            missing,
            timeless,
            overflow,
        } = *self;
        if missing > 0 {
            tracing::warn!(
                missing,
                "the API says that there are more events than it shows"
            );
        }
        if timeless > 0 {
            tracing::warn!(
                timeless,
                "events without a time that can be read are left out"
            );
        }
        if overflow > 0 {
            tracing::warn!(
                overflow,
                "there are more label combinations than --metrics.max-series; which of them are counted under other may differ from what the exporter shows"
            );
        }
    }
}

/// A file for each day, which `promtool` is faster with.
fn write_days(grid: &Grid, labels: &AddedLabels, directory: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("{} cannot be made", directory.display()))?;
    for span in grid.times().days() {
        let day = Offset::UTC.to_datetime(Timestamp::from_second(span.start)?);
        let name = format!("{}.om", day.date());
        write_file(grid, &span, labels, &directory.join(name))?;
    }
    Ok(())
}

/// Under another name until it is whole, and on the disk.
fn write_file(
    grid: &Grid,
    span: &Range<i64>,
    labels: &AddedLabels,
    path: &Path,
) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mode = fs::metadata(path).map_or(0o644, |metadata| metadata.permissions().mode());
    let try_to = || {
        let file = tempfile::Builder::new()
            .prefix(".backfill.")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)?;
        write(grid, span, labels, file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        io::Result::Ok(())
    };
    try_to().with_context(|| format!("{} cannot be written", path.display()))
}

fn write(grid: &Grid, span: &Range<i64>, labels: &AddedLabels, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    openmetrics::write(grid, span, labels, &mut out)?;
    out.flush()
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
         to go on without a step: nexmo-audit-exporter serve --poll.start={from}, started for the first time after this",
        grid.events(),
        grid.series().len() + grid.types().len(),
    )
}

#[expect(clippy::print_stderr, reason = "for the person who asked")]
fn say(text: &str) {
    eprintln!("nexmo-audit-exporter: {text}");
}
