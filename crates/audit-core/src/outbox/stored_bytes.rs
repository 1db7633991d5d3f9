//! The size of the lines that are stored and not written to the log.

use std::collections::VecDeque;

/// The size up to which commits count together, in bytes.
const PART_BYTES: u64 = 4 * 1024 * 1024;

/// The size of the lines that are stored and not written. Lines are in parts of a few
/// mebibytes, each of which counts until all of it is written.
#[derive(Debug, Clone, Default)]
pub(super) struct StoredBytes {
    parts: VecDeque<Part>,
    /// The size of all parts together, in bytes.
    sum: u64,
}

/// Lines that count together.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// The number of the last line.
    last: u64,
    bytes: u64,
}

impl StoredBytes {
    /// Adds the lines up to the number `last`.
    pub(super) fn add(&mut self, last: u64, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.sum += bytes;
        match self.parts.back_mut() {
            Some(part) if part.bytes + bytes <= PART_BYTES => {
                part.last = last;
                part.bytes += bytes;
            }
            _ => self.parts.push_back(Part { last, bytes }),
        }
    }

    /// Returns the size of the lines after the number `written`, which is never lower than
    /// before.
    pub(super) fn after(&mut self, written: u64) -> u64 {
        while let Some(part) = self.parts.front()
            && part.last <= written
        {
            self.sum -= part.bytes;
            self.parts.pop_front();
        }
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_until_their_part_is_written() {
        let mut stored = StoredBytes::default();
        for (last, bytes) in [(3, PART_BYTES - 9), (3, 0), (5, 9), (6, 1), (8, 7)] {
            stored.add(last, bytes);
        }
        let sizes = [0, 3, 4, 5, 6, 7, 8, 9].map(|written| stored.after(written));
        let whole = PART_BYTES + 8;
        assert_eq!(sizes, [whole, whole, whole, 8, 8, 8, 0, 0]);
    }

    #[test]
    fn small_commits_take_little_memory() {
        let mut stored = StoredBytes::default();
        for line in 1..=10_000 {
            stored.add(line, 10_000);
        }
        assert_eq!(stored.after(0), 100_000_000);
        assert!(stored.parts.len() < 30, "{}", stored.parts.len());
    }
}
