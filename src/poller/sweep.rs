//! Reads one piece of a range: all its pages, several at once, and again if they
//! shifted.

use std::sync::Arc;

use futures_util::{StreamExt, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};

use super::{
    api::{Api, Clock, Storage},
    collector::{Collector, PollError, Report},
    outcome,
};
use crate::{
    client::{Answer, ApiError, ListQuery, PAGE_SIZE},
    event::Page,
    window::{Clocks, Cutter, Range, Step, Sweep},
};

/// How many pages are under way at once.
const CONCURRENT_PAGES: usize = 8;
/// Whether the API's bounds belong to a range is not documented, so each range is
/// asked for with a second more than is wanted.
const BOUND: SignedDuration = SignedDuration::from_secs(1);

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
    let mut reader = Reader {
        collector,
        report,
        clocks: None,
    };
    loop {
        let end = range.to.unwrap_or_else(|| reader.clocks().earliest());
        let read_to = cutter.piece_end(range.from, end);
        let wanted = Range {
            from: range.from,
            to: read_to.or(range.to),
        };
        let mut sweep = Sweep::new(PAGE_SIZE);
        if read_to.is_some() {
            sweep.expect_pages(CONCURRENT_PAGES as u64);
        }
        reader.clocks = None;
        let fits = |claimed, clocks: Clocks| {
            let to = wanted.to.unwrap_or_else(|| clocks.earliest());
            cutter.fits(range.from, to, claimed)
        };
        if let Some(missing) = reader.read(&mut sweep, wanted, fits).await? {
            let clocks = reader.clocks();
            return Ok(Piece {
                read_to,
                clocks,
                missing,
            });
        }
    }
}

struct Reader<'c, A, S, C> {
    collector: &'c mut Collector<A, S, C>,
    report: &'c mut Report,
    /// When the first page was asked for.
    clocks: Option<Clocks>,
}

impl<A: Api, S: Storage, C: Clock> Reader<'_, A, S, C> {
    /// Reads all pages, and all of them again while they shift; says how many
    /// events were claimed and not shown. `None` if after the first page there are
    /// too many to go on, by what `fits` says of how many are claimed.
    async fn read(
        &mut self,
        sweep: &mut Sweep,
        mut range: Range,
        fits: impl FnOnce(u64, Clocks) -> bool,
    ) -> Result<Option<u64>, PollError> {
        let mut fits = Some(fits);
        loop {
            let api = Arc::clone(&self.collector.api);
            let local = self.collector.clock.local();
            let mut under_way = FuturesUnordered::new();
            loop {
                while under_way.len() < CONCURRENT_PAGES
                    && let Some(page) = sweep.next_page()
                {
                    under_way.push(api.list(query(range, page)));
                }
                let Some(answer) = under_way.next().await else {
                    break;
                };
                self.take(sweep, &answer?, local)?;
                if let Some(fits) = fits.take()
                    && !fits(sweep.claimed(), self.clocks())
                {
                    return Ok(None);
                }
            }
            match sweep.step() {
                Step::Read(_) => {}
                Step::Whole => return Ok(Some(0)),
                Step::Short { missing } => return Ok(Some(missing)),
                Step::ReadAgain if range.to.is_none() => {
                    // With an end to the range, what arrives meanwhile shifts nothing.
                    range.to = Some(self.clocks().api);
                    sweep.read_again_narrower();
                }
                Step::ReadAgain => sweep.read_again(),
            }
        }
    }

    /// Takes in an answer to what was asked at `asked`.
    fn take(
        &mut self,
        sweep: &mut Sweep,
        answer: &Answer<String>,
        asked: Timestamp,
    ) -> Result<(), PollError> {
        let page = Page::parse(&answer.value).map_err(ApiError::body)?;
        let at = self.collector.clock.local();
        let api = answer.date.unwrap_or(at);
        self.clocks.get_or_insert(Clocks {
            api: answer.date.unwrap_or(asked),
            local: asked,
        });
        sweep.take(&page);
        let tally = self.collector.account.count(&page, api);
        self.report.pages += 1;
        self.report.counted += tally.lags.len() as u64;
        outcome::PageCounted { tally: &tally, at }.record(&self.collector.metrics);
        Ok(())
    }

    fn clocks(&self) -> Clocks {
        let local = self.collector.clock.local();
        self.clocks.unwrap_or(Clocks { api: local, local })
    }
}

fn query(range: Range, page: u64) -> ListQuery {
    ListQuery {
        from: range.from.saturating_sub(BOUND).unwrap_or(Timestamp::MIN),
        to: range
            .to
            .map(|to| to.saturating_add(BOUND).unwrap_or(Timestamp::MAX)),
        page,
    }
}
