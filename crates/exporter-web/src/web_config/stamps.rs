//! What tells whether a file has changed since it was read.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Files, and what tells one content from the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FileStamps(Vec<(PathBuf, Option<FileStamp>)>);

#[derive(Debug, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// When the content changed; seconds and nanoseconds.
    modified: (i64, i64),
    /// When the inode changed; seconds and nanoseconds.
    changed: (i64, i64),
}

impl FileStamps {
    pub(super) fn of(paths: Vec<PathBuf>) -> Self {
        let stamped = paths.into_iter().map(|path| {
            let stamp = FileStamp::of(&path);
            (path, stamp)
        });
        Self(stamped.collect())
    }

    pub(super) fn are_unchanged(&self) -> bool {
        let mut files = self.0.iter();
        files.all(|(path, stamp)| FileStamp::of(path) == *stamp)
    }
}

impl FileStamp {
    /// `None` for a file that cannot be reached.
    fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
            bytes: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}
