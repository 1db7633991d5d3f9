//! Reads one piece of a range and counts it as it comes.

use audit_core::{
    sweep::{Cutter, Range},
    window::Clocks,
};
use jiff::Timestamp;

use super::{
    api::{Api, Clock, Storage},
    collector::{Collector, PollError, Report},
    outcome,
};
use crate::api::paging::{self, CONCURRENT_PAGES};

/// A piece that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Where it ends; `None` where that is the end of the range.
    pub(super) read_to: Option<Timestamp>,
    /// When reading it began.
    pub(super) clocks: Clocks,
    /// How many events the API says there are beyond those it showed.
    pub(super) missing: u64,
}

/// Reads and counts one piece from the beginning of a range.
pub(super) async fn read_piece<A: Api, S: Storage, C: Clock>(
    collector: &mut Collector<A, S, C>,
    range: Range,
    cutter: &mut Cutter,
    report: &mut Report,
) -> Result<Piece, PollError> {
    let Collector {
        api,
        clock,
        metrics,
        account,
        ..
    } = collector;
    let local = || clock.local();
    let mut now = local();
    loop {
        let read_to = cutter.piece_end(range.from, range.to.unwrap_or(now));
        let wanted = Range {
            from: range.from,
            to: read_to.or(range.to),
        };
        let expected = read_to.map_or(0, |_| CONCURRENT_PAGES as u64);
        let read = paging::read_pages(
            |query| api.list(query),
            local,
            wanted,
            expected,
            account.keep(),
            |claimed, clocks: Clocks| {
                now = clocks.earliest();
                cutter.fits(range.from, wanted.to.unwrap_or(now), claimed)
            },
            |page, answer| {
                let at = local();
                let tally = account.count(page, answer.date.unwrap_or(at));
                report.pages += 1;
                report.counted += tally.lags.len() as u64;
                outcome::PageCounted { tally: &tally, at }.record(metrics);
            },
        );
        if let Some(read) = read.await? {
            return Ok(Piece {
                read_to,
                clocks: read.clocks,
                missing: read.missing,
            });
        }
    }
}
