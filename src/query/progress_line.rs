//! One line on the terminal that says how much of a range has been read. Where standard
//! error is no terminal, nothing is written.

use std::{
    fmt::{self, Write},
    time::Duration,
};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use once_cell::sync::Lazy;

/// The time until the line appears: a range that is read sooner needs no line.
const DELAY: Duration = Duration::from_secs(1);
/// The highest number of drawings in a second.
const DRAWINGS_PER_SECOND: u8 = 5;

/// The line as indicatif draws it. The process has one, as it has one terminal, so that every
/// message can take the line away while it is written.
static BAR: Lazy<ProgressBar> = Lazy::new(|| {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{progress}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.with_key("progress", write_progress));
    bar
});

/// Runs `write` while the line is off the terminal.
pub(crate) fn suspend_progress<T>(write: impl FnOnce() -> T) -> T {
    BAR.suspend(write)
}

/// Takes the line off the terminal for good.
pub(crate) fn end_progress() {
    BAR.finish_and_clear();
}

/// The line that says how much of a range has been read.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    is_shown: bool,
    /// The number of events in pieces that were read whole.
    read: u64,
    /// The number of events in the piece that is being read.
    in_piece: u64,
}

impl ProgressLine {
    /// Returns a line that appears on standard error, if that is a terminal.
    pub(crate) fn on_terminal() -> Self {
        BAR.reset();
        Self {
            is_shown: false,
            read: 0,
            in_piece: 0,
        }
    }

    /// Adds a page with `events` events. `total` is the number of events of the range, as
    /// the API says; only the first such number is used.
    pub(crate) fn page_read(&mut self, events: usize, total: Option<u64>) {
        if let (None, Some(total)) = (BAR.length(), total) {
            BAR.set_length(total);
        }
        self.in_piece += events as u64;
        if !self.is_shown && BAR.elapsed() >= DELAY {
            self.is_shown = true;
            let terminal = ProgressDrawTarget::stderr_with_hz(DRAWINGS_PER_SECOND);
            BAR.set_draw_target(terminal);
        }
        BAR.set_position(self.read + self.in_piece);
    }

    /// Keeps the events of the piece, which was read whole.
    pub(crate) fn piece_ended(&mut self) {
        self.read += std::mem::take(&mut self.in_piece);
    }

    /// Forgets the events of the piece, which is read again.
    pub(crate) fn piece_dropped(&mut self) {
        self.in_piece = 0;
    }
}

fn write_progress(state: &ProgressState, text: &mut dyn Write) {
    // The terminal shows what could be written.
    let _ = write_line(text, state.pos(), state.len(), state.eta());
}

/// Writes a line that is short enough for any terminal.
fn write_line(
    text: &mut dyn Write,
    read: u64,
    expected: Option<u64>,
    left: Duration,
) -> fmt::Result {
    let Some(expected) = expected.filter(|expected| *expected >= read) else {
        return write!(text, "{read} events read");
    };
    let percent = read * 100 / expected.max(1);
    let left = HumanDuration(left);
    write!(
        text,
        "{read} of {expected} events read ({percent} %), {left:#} left"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let cases = [
            (0, None, 1, "0 events read"),
            (500, Some(400), 1, "500 events read"),
            (25, Some(100), 30, "25 of 100 events read (25 %), 30s left"),
            (1, Some(100), 990, "1 of 100 events read (1 %), 17m left"),
            (1, Some(1000), 9990, "1 of 1000 events read (0 %), 3h left"),
        ];
        for (read, expected, seconds, shown) in cases {
            let mut text = String::new();
            let left = Duration::from_secs(seconds);
            write_line(&mut text, read, expected, left).expect("memory");
            assert_eq!(text, shown);
        }
    }
}
