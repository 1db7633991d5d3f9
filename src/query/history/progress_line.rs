//! One line on the terminal that says how far reading is. Nothing where standard
//! error is no terminal.

use std::{
    io::{IsTerminal, Write, stderr},
    time::Duration,
};

use tokio::time::Instant;

/// Who reads a short range sees nothing of this.
const PATIENCE: Duration = Duration::from_secs(1);
/// From one drawing to the next.
const FRAME: Duration = Duration::from_millis(200);
/// Takes the line away again.
const CLEAR: &str = "\r\u{1b}[2K";

/// How far reading is, for a person who waits.
#[derive(Debug)]
pub struct ProgressLine {
    shown: bool,
    begun: Instant,
    next_frame: Instant,
    drawn: bool,
    /// What the API said at first of how many events there are.
    expected: Option<u64>,
    /// In pieces that were read whole, and in the one that is being read.
    read: u64,
    in_piece: u64,
}

impl ProgressLine {
    /// Shown on standard error if that is a terminal.
    #[must_use]
    pub fn on_terminal() -> Self {
        Self::new(stderr().is_terminal())
    }

    /// Never shown.
    #[must_use]
    pub fn hidden() -> Self {
        Self::new(false)
    }

    fn new(shown: bool) -> Self {
        let begun = Instant::now();
        Self {
            shown,
            begun,
            next_frame: begun + PATIENCE,
            drawn: false,
            expected: None,
            read: 0,
            in_piece: 0,
        }
    }

    /// A page came, with so many events, of so many that there are in all.
    pub(super) fn page_read(&mut self, events: usize, total: Option<u64>) {
        self.expected = self.expected.or(total);
        self.in_piece += events as u64;
        let now = Instant::now();
        if self.shown && now >= self.next_frame {
            self.next_frame = now + FRAME;
            self.drawn = true;
            let line = line(self.read + self.in_piece, self.expected, now - self.begun);
            write(&format!("{CLEAR}{line}"));
        }
    }

    /// What was read of this piece counts.
    pub(super) fn piece_ended(&mut self) {
        self.read += std::mem::take(&mut self.in_piece);
    }

    /// What was read of this piece is read again.
    pub(super) fn piece_dropped(&mut self) {
        self.in_piece = 0;
    }

    /// Takes the line away, to write something in its place.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            write(CLEAR);
        }
    }

    /// Nothing more is shown.
    pub fn end(&mut self) {
        self.clear();
        self.shown = false;
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

fn write(text: &str) {
    let mut terminal = stderr().lock();
    // Who cannot be shown it misses nothing.
    let _ = terminal
        .write_all(text.as_bytes())
        .and_then(|()| terminal.flush());
}

/// As short as fits any terminal.
fn line(read: u64, expected: Option<u64>, took: Duration) -> String {
    let Some(expected) = expected.filter(|expected| *expected >= read) else {
        return format!("{read} events read");
    };
    #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
    let share = read as f64 / expected.max(1) as f64;
    let left = took.as_secs_f64() * (1.0 - share) / share.max(1e-6);
    format!(
        "{read} of {expected} events read ({:.0} %), {} left",
        share * 100.0,
        about(left)
    )
}

fn about(seconds: f64) -> String {
    if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else if seconds < 90.0 * 60.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.0} h", seconds / 3600.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let cases = [
            (0, None, 1, "0 events read"),
            (500, Some(400), 1, "500 events read"),
            (25, Some(100), 10, "25 of 100 events read (25 %), 30 s left"),
            (1, Some(100), 10, "1 of 100 events read (1 %), 16 min left"),
            (1, Some(1000), 10, "1 of 1000 events read (0 %), 3 h left"),
        ];
        for (read, expected, seconds, shown) in cases {
            assert_eq!(line(read, expected, Duration::from_secs(seconds)), shown);
        }
    }
}
