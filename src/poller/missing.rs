//! The events that the API has and does not return: how many there are, and what the log has
//! said of them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{instrumentation, piece::PieceRead};
use crate::metrics::AccountMetrics;

/// The highest number of seconds that are remembered because the log has named them.
const MAX_NAMED: usize = 1000;

/// The events that the API has and does not return.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// `true` if events were missing from the last piece.
    was_short: bool,
    /// The seconds with too many events that the log has named.
    named: BTreeSet<Timestamp>,
    /// The number of events that were missing from the last poll.
    from_poll: u64,
    /// The number of events that were missing from the last deep sweep.
    from_deep_sweep: u64,
}

impl Missing {
    /// Logs the events that are missing from a piece.
    pub(super) fn of_piece(&mut self, piece: &PieceRead) {
        let missing = piece.missing;
        if let Some(second) = piece.dense {
            let is_first = self.named.insert(second);
            instrumentation::SecondTooDense {
                second,
                missing,
                is_first,
            }
            .record();
            if self.named.len() > MAX_NAMED {
                self.named.pop_first();
            }
            return;
        }
        let was_short = std::mem::replace(&mut self.was_short, missing > 0);
        if missing > 0 {
            let is_first = !was_short;
            instrumentation::EventsMissing { missing, is_first }.record();
        }
    }

    /// Shows the number of events that are missing from a poll that has ended.
    pub(super) fn of_poll(&mut self, missing: u64, metrics: &AccountMetrics) {
        self.from_poll = missing;
        self.show(metrics);
    }

    /// Shows the number of events that are missing from a deep sweep that has ended.
    pub(super) fn of_deep_sweep(&mut self, missing: u64, metrics: &AccountMetrics) {
        self.from_deep_sweep = missing;
        instrumentation::DeepSweepEnded { missing }.record();
        self.show(metrics);
    }

    /// A deep sweep reads what polls read, so the same events may be missing from both.
    fn show(&self, metrics: &AccountMetrics) {
        let missing = self.from_poll.max(self.from_deep_sweep);
        instrumentation::MissingObserved { missing }.record(metrics);
    }
}
