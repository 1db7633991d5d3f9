//! Reads one piece of a range, and counts the events of each page as it arrives.

use std::sync::Arc;

use audit_core::{
    sweep::{Cutter, Range},
    window::Clocks,
};
use jiff::Timestamp;

use super::{
    Api, Clock, Storage,
    collector::{Collector, PollCounts, PollError},
    instrumentation,
};
use crate::api::paging::{PageReader, PagesRead, ReadPage};

/// A piece that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct PieceRead {
    /// The time at which the piece ends; `None` if the piece reaches to the end of the
    /// range.
    pub(super) read_to: Option<Timestamp>,
    /// The clocks when the first page of the piece was requested.
    pub(super) clocks: Clocks,
    /// The number of events that the API reported and did not return.
    pub(super) missing: u64,
}

impl<A: Api, S: Storage, C: Clock> Collector<A, S, C> {
    /// Reads and counts one piece from the beginning of `range`; `watermark` is the one with
    /// which the sweep began. If the first page claims too many events for one piece, `cutter`
    /// shortens the piece, and the piece is read from its beginning.
    pub(super) async fn read_piece(
        &mut self,
        (range, watermark): (Range, Option<Timestamp>),
        cutter: &mut Cutter,
        counts: &mut PollCounts,
    ) -> Result<PieceRead, PollError> {
        let api = Arc::clone(&self.api);
        let mut now = self.clock.local();
        'piece: loop {
            let read_to = cutter.piece_end(range.from, range.to.unwrap_or(now));
            let wanted = Range {
                from: range.from,
                to: read_to.or(range.to),
            };
            let mut pages = PageReader::new(&*api, wanted, self.account.keep());
            if read_to.is_some() {
                pages = pages.expecting_many();
            }
            while let Some(read) = pages.next(self.clock.local()).await? {
                self.count(&read, watermark, counts);
                if let Some(first) = read.first {
                    now = first.clocks.earliest();
                    if !cutter.fits(range.from, wanted.to.unwrap_or(now), first.claimed) {
                        continue 'piece;
                    }
                }
            }
            let PagesRead {
                clocks, missing, ..
            } = pages.outcome();
            return Ok(PieceRead {
                read_to,
                clocks,
                missing,
            });
        }
    }

    fn count(
        &mut self,
        read: &ReadPage<'_>,
        watermark: Option<Timestamp>,
        counts: &mut PollCounts,
    ) {
        let at = self.clock.local();
        let now = read.date.unwrap_or(at);
        let tally = self.account.count(&read.page, now, watermark);
        counts.pages += 1;
        counts.counted += tally.lags.len() as u64;
        instrumentation::PageCounted { tally: &tally, at }.record(&self.metrics);
    }
}
