//! Tells whether a file has changed since it was read.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::time_limit::within_time_limit;

/// The stamps of several files. A stamp is `None` if the file cannot be reached.
///
/// A program that follows files of its own takes the stamps before it reads the files, so
/// that a change during the reading is noticed too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileStamps(Vec<(PathBuf, Option<FileStamp>)>);

/// The metadata of a file that change with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// The time of the last change of the content, in seconds and nanoseconds.
    modified: (i64, i64),
    /// The time of the last change of the inode, in seconds and nanoseconds.
    changed: (i64, i64),
}

impl FileStamps {
    /// Takes the stamps of these files, whose links are followed. May wait for the disk, but
    /// for no file longer than five seconds.
    #[must_use]
    pub fn of(paths: Vec<PathBuf>) -> Self {
        let stamped = paths.into_iter().map(|path| {
            let stamp = FileStamp::of(&path);
            (path, stamp)
        });
        Self(stamped.collect())
    }

    pub(crate) fn are_unchanged(&self) -> bool {
        let mut files = self.0.iter();
        files.all(|(path, stamp)| FileStamp::of(path) == *stamp)
    }
}

impl FileStamp {
    fn of(path: &Path) -> Option<Self> {
        let found = within_time_limit(path, |path| fs::metadata(path));
        let file = found.ok()?.ok()?.ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
            bytes: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}
