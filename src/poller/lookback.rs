//! Reads the settled range of a poll: what is new there, and of what was read before only the
//! part of which the API claims more events than are known.

use std::sync::Arc;

use audit_core::{
    sweep::{Cutter, RecountStep},
    window::Clocks,
};
use jiff::Timestamp;

use super::{
    Api, Clock, Storage,
    collector::{Collector, PollCounts, PollError},
    instrumentation,
    piece::{PieceRead, PieceWanted},
};
use crate::api::{ApiAnswer, paging::claimed};

/// A range that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct RangeRead {
    /// The clocks when the last piece was requested.
    pub(super) clocks: Clocks,
    /// The number of events that the API has and did not return.
    pub(super) missing: u64,
    /// `true` if every sweep saw exactly as many elements as the API claims.
    pub(super) is_exact: bool,
    /// See [`PieceRead::is_stopped`].
    pub(super) is_stopped: bool,
}

/// The settled range of a poll, after everything that the API listed in it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct SettledRead {
    /// The time before which everything was read.
    pub(super) read_to: Timestamp,
    /// The clocks when the range was first requested.
    pub(super) started: Clocks,
    /// The number of events that the API has and did not return.
    pub(super) missing: u64,
}

impl<A: Api, S: Storage, C: Clock> Collector<A, S, C> {
    /// Reads what the API lists from `from` until a few seconds ago and is not known. Returns
    /// `None` if the range has to be read whole, with its end open.
    pub(super) async fn read_settled(
        &mut self,
        from: Timestamp,
        watermark: Option<Timestamp>,
        counts: &mut PollCounts,
    ) -> Result<Option<SettledRead>, PollError> {
        let Some(now) = self.api_time() else {
            return Ok(None);
        };
        if !self.recount.begin(from, now) {
            return Ok(None);
        }
        let local = self.clock.local();
        let mut started = None;
        let mut missing = 0_u64;
        while let Some(step) = self.recount.step() {
            match step {
                RecountStep::Read { range, is_whole } => {
                    let wanted = PieceWanted {
                        range,
                        watermark,
                        stop_above: None,
                    };
                    let read = self.read_range(wanted, is_whole, counts).await?;
                    self.recount.read(read.is_exact);
                    // What is read whole is read part by part.
                    let is_next_part = is_whole && range.from > from;
                    missing = read
                        .missing
                        .saturating_add(if is_next_part { missing } else { 0 });
                    started.get_or_insert(read.clocks);
                }
                RecountStep::Count(range) => {
                    let api = Arc::clone(&self.api);
                    let claimed = self.commit_meanwhile(claimed(&*api, range), |_, _| {});
                    let ApiAnswer { value, date, .. } = claimed.await?;
                    self.recount.counted(value);
                    let api = date.unwrap_or(local);
                    started.get_or_insert(Clocks { api, local });
                }
                RecountStep::Done { read_to } => {
                    let started = started.unwrap_or(Clocks { api: now, local });
                    return Ok(Some(SettledRead {
                        read_to,
                        started,
                        missing,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Reads a range piece by piece. If everything before the range was read, the range
    /// `continues` that, and each piece but the last is committed and moves the watermark.
    pub(super) async fn read_range(
        &mut self,
        mut wanted: PieceWanted,
        continues: bool,
        counts: &mut PollCounts,
    ) -> Result<RangeRead, PollError> {
        let mut cutter = Cutter::new(self.limits);
        let (mut missing, mut is_exact) = (0_u64, true);
        loop {
            let piece = self.read_piece(wanted, &mut cutter, counts).await?;
            let PieceRead {
                read_to, clocks, ..
            } = piece;
            if let Some(watermark) = self.stored_watermark.take() {
                let now = clocks.earliest();
                instrumentation::StateContinued { watermark, now }.record();
            }
            self.missing.of_piece(&piece);
            missing = missing.saturating_add(piece.missing);
            is_exact &= piece.is_exact;
            let Some(read_to) = read_to else {
                return Ok(RangeRead {
                    clocks,
                    missing,
                    is_exact,
                    is_stopped: piece.is_stopped,
                });
            };
            if continues {
                self.complete_piece(read_to, wanted.watermark, clocks, *counts)
                    .await?;
            }
            wanted.range.from = read_to;
        }
    }

    /// Commits a piece up to whose end everything was read, and moves the watermark there
    /// unless the piece is part of the lookback.
    async fn complete_piece(
        &mut self,
        up_to: Timestamp,
        watermark: Option<Timestamp>,
        clocks: Clocks,
        counts: PollCounts,
    ) -> Result<(), PollError> {
        self.account.window.complete_piece(up_to, clocks);
        self.commit().await?;
        // A piece of the lookback moves no watermark.
        let up_to = self.account.window.watermark().unwrap_or(up_to);
        if watermark.is_none_or(|watermark| up_to > watermark) {
            let now = clocks.earliest();
            let stage = self.account.stage;
            instrumentation::PieceCounted {
                from: watermark.unwrap_or(stage.start),
                up_to,
                now,
                counts,
                is_history: !stage.caught_up,
            }
            .record(&self.metrics);
        }
        Ok(())
    }

    /// Returns the time of the API, as its last answer and the uptime since tell it; `None`
    /// before the first answer.
    fn api_time(&self) -> Option<Timestamp> {
        let (api, at) = self.answered?;
        let passed = self.clock.uptime().saturating_sub(at);
        api.saturating_add(passed).ok()
    }
}
