//! Reads one piece of a range, and counts its events as they come.

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
use crate::api::paging::{PageReader, ReadPage};

/// A piece that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct PieceRead {
    /// Where the piece ends; `None` where that is the end of the range.
    pub(super) read_to: Option<Timestamp>,
    /// The clocks when the piece was asked for.
    pub(super) clocks: Clocks,
    /// How many events the API says there are beyond those that it showed.
    pub(super) missing: u64,
}

impl<A: Api, S: Storage, C: Clock> Collector<A, S, C> {
    /// Reads and counts one piece from the beginning of `range`. A piece that holds too
    /// many events, by what its first page claims, is begun again as `cutter` shortens
    /// it.
    pub(super) async fn read_piece(
        &mut self,
        range: Range,
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
                self.count(&read, counts);
                if let Some(first) = read.first {
                    now = first.clocks.earliest();
                    if !cutter.fits(range.from, wanted.to.unwrap_or(now), first.claimed) {
                        continue 'piece;
                    }
                }
            }
            let outcome = pages.outcome();
            return Ok(PieceRead {
                read_to,
                clocks: outcome.clocks,
                missing: outcome.missing,
            });
        }
    }

    fn count(&mut self, read: &ReadPage<'_>, counts: &mut PollCounts) {
        let at = self.clock.local();
        let tally = self.account.count(&read.page, read.date.unwrap_or(at));
        counts.pages += 1;
        counts.counted += tally.lags.len() as u64;
        instrumentation::PageCounted { tally: &tally, at }.record(&self.metrics);
    }
}
