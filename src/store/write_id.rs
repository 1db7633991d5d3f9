//! Which commit is the last one in the file.

/// A commit: which process made it, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WriteId {
    /// A number that no two processes share.
    pub(super) writer: u64,
    /// How many commits there were, of all processes.
    pub(super) sequence: u64,
}

/// What this process knows of the last commit in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastWrite {
    writer: u64,
    /// The last one that is known to be in the file.
    last: WriteId,
    /// One that failed, and may be in the file all the same: an error can come
    /// after the last byte was written.
    doubtful: Option<WriteId>,
}

impl LastWrite {
    /// A process that found `last` in the file and calls itself `writer`.
    pub(super) fn new(writer: u64, last: WriteId) -> Self {
        Self {
            writer,
            last,
            doubtful: None,
        }
    }

    /// Whether a file whose last commit is `found` is the one this process left.
    pub(super) fn is_ours(&self, found: WriteId) -> bool {
        found == self.last || Some(found) == self.doubtful
    }

    /// Takes note of what is in the file for certain.
    pub(super) fn settle(&mut self, found: WriteId) {
        self.last = found;
        self.doubtful = None;
    }

    /// The commit that is made next. Until it is settled it is in doubt.
    pub(super) fn next(&mut self) -> WriteId {
        let next = WriteId {
            writer: self.writer,
            sequence: self.last.sequence + 1,
        };
        self.doubtful = Some(next);
        next
    }
}
