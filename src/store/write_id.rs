//! The ids of writes, by which a process can tell that the file is as it left it.

/// Identifies a write to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WriteId {
    /// A random number of the process that wrote.
    pub(super) writer: u64,
    /// The number of writes so far, by all processes.
    pub(super) sequence: u64,
}

/// The knowledge of this process about the last write in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastWrite {
    writer: u64,
    /// The last write that is certainly in the file.
    last: WriteId,
    /// A write that failed, and may still be in the file: an error can come after the
    /// last byte was written.
    doubtful: Option<WriteId>,
}

impl LastWrite {
    /// Returns the knowledge of a process with the number `writer` that has found `last`
    /// in the file.
    pub(super) fn new(writer: u64, last: WriteId) -> Self {
        Self {
            writer,
            last,
            doubtful: None,
        }
    }

    /// Returns `true` if the file is as this process left it; `found` is the last write in
    /// the file.
    pub(super) fn is_ours(&self, found: WriteId) -> bool {
        found == self.last || Some(found) == self.doubtful
    }

    /// Records that `found` is the last write in the file.
    pub(super) fn settle(&mut self, found: WriteId) {
        self.last = found;
        self.doubtful = None;
    }

    /// Returns the id of the next write, which is in doubt until it is settled.
    pub(super) fn next(&mut self) -> WriteId {
        let next = WriteId {
            writer: self.writer,
            sequence: self.last.sequence + 1,
        };
        self.doubtful = Some(next);
        next
    }
}
