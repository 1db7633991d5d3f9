//! Where the history is written.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, BufWriter, ErrorKind, Write, stdout},
    ops::Range,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use jiff::{Timestamp, tz::Offset};

use super::{
    grid::Grid,
    openmetrics::{self, AddedLabels},
};
use crate::config::BackfillOutput;

/// The mode of a new file.
const FILE_MODE: u32 = 0o644;

/// Writes the whole history.
pub(super) fn write(
    grid: &Grid,
    labels: &AddedLabels,
    output: &BackfillOutput,
) -> anyhow::Result<()> {
    let whole = grid.times().whole();
    match output {
        BackfillOutput::Standard => Ok(write_text(grid, &whole, labels, stdout().lock())?),
        BackfillOutput::File(path) => write_path(grid, &whole, labels, path),
        BackfillOutput::Directory(path) => write_days(grid, labels, path),
    }
}

/// Writes one file for each day: `promtool` is faster with several files.
fn write_days(grid: &Grid, labels: &AddedLabels, directory: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("{} cannot be created", directory.display()))?;
    for span in grid.times().days() {
        let day = Offset::UTC.to_datetime(Timestamp::from_second(span.start)?);
        let name = format!("{}.om", day.date());
        write_path(grid, &span, labels, &directory.join(name))?;
    }
    Ok(())
}

/// Replaces a regular file, and writes into anything else, such as a pipe or a device.
fn write_path(
    grid: &Grid,
    span: &Range<i64>,
    labels: &AddedLabels,
    path: &Path,
) -> anyhow::Result<()> {
    let try_to = || match fs::metadata(path) {
        Ok(found) if !found.is_file() => {
            let file = OpenOptions::new().write(true).open(path)?;
            write_text(grid, span, labels, file)
        }
        // The file that a link leads to is replaced, and not the link.
        Ok(found) => {
            let mode = found.permissions().mode();
            replace(grid, span, labels, &fs::canonicalize(path)?, mode)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            replace(grid, span, labels, &target(path), FILE_MODE)
        }
        Err(error) => Err(error),
    };
    try_to().with_context(|| format!("{} cannot be written", path.display()))
}

/// Returns where a link to a file that does not exist leads to.
fn target(path: &Path) -> PathBuf {
    let link = fs::read_link(path);
    link.map_or_else(|_| path.to_owned(), |link| folder(path).join(link))
}

/// Writes a file under another name, and renames it when it is complete and on the disk.
fn replace(
    grid: &Grid,
    span: &Range<i64>,
    labels: &AddedLabels,
    path: &Path,
    mode: u32,
) -> io::Result<()> {
    let file = tempfile::Builder::new()
        .prefix(".backfill.")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder(path))?;
    write_text(grid, span, labels, file.as_file())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn folder(path: &Path) -> &Path {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn write_text(
    grid: &Grid,
    span: &Range<i64>,
    labels: &AddedLabels,
    out: impl Write,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    openmetrics::write(grid, span, labels, &mut out)?;
    out.flush()
}
