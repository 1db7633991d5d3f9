//! Reads one piece of a range, and counts the events of each page as it arrives.

use std::sync::Arc;

use audit_core::{
    sweep::{Cutter, Range, Verdict},
    window::Clocks,
};
use jiff::Timestamp;

use super::{
    Api, Clock, Storage,
    collector::{Collector, PollCounts, PollError},
    instrumentation,
};
use crate::api::{
    ApiError, EndlessPages,
    paging::{PageReader, PagesRead, ReadPage},
};

/// A piece that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct PieceRead {
    /// The time at which the piece ends; `None` if the piece reaches to the end of the
    /// range.
    pub(super) read_to: Option<Timestamp>,
    /// The clocks when the first page of the piece was requested.
    pub(super) clocks: Clocks,
    /// The number of events that the API has and did not return.
    pub(super) missing: u64,
    /// The second that has more events than the API returns for one query.
    pub(super) dense: Option<Timestamp>,
    /// `true` if the sweep saw exactly as many elements as the API claims.
    pub(super) is_exact: bool,
    /// `true` if only the first page was read, which claims more events than
    /// [`PieceWanted::stop_above`].
    pub(super) is_stopped: bool,
}

/// The piece that is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct PieceWanted {
    /// The range at whose beginning the piece begins.
    pub(super) range: Range,
    /// The watermark with which the sweep began.
    pub(super) watermark: Option<Timestamp>,
    /// The number of events above which reading stops after the first page.
    pub(super) stop_above: Option<u64>,
}

impl PieceRead {
    fn stopped(clocks: Clocks) -> Self {
        Self {
            read_to: None,
            clocks,
            missing: 0,
            dense: None,
            is_exact: false,
            is_stopped: true,
        }
    }
}

impl<A: Api, S: Storage, C: Clock> Collector<A, S, C> {
    /// Reads and counts one piece from the beginning of a range. If the piece has more events
    /// than fit into one, or than the API returns for one query, `cutter` shortens the piece,
    /// and the piece is read from its beginning.
    pub(super) async fn read_piece(
        &mut self,
        wanted: PieceWanted,
        cutter: &mut Cutter,
        counts: &mut PollCounts,
    ) -> Result<PieceRead, PollError> {
        let PieceWanted {
            range,
            watermark,
            stop_above,
        } = wanted;
        let api = Arc::clone(&self.api);
        let mut now = self.clock.local();
        'piece: loop {
            let piece = cutter.piece(range, now);
            let mut pages = PageReader::new(&*api, &piece, self.account.keep());
            loop {
                let next = pages.next(self.clock.local());
                let Some(read) = self.commit_meanwhile(next, |_, _| {}).await? else {
                    break;
                };
                self.count(&read, watermark, counts);
                if self.account.outbox.is_full() {
                    self.commit().await?;
                }
                if let Some(first) = read.first {
                    now = first.clocks.earliest();
                    self.answered = Some((first.clocks.api, self.clock.uptime()));
                    let claimed = first.claim.claimed;
                    self.recount.claim(claimed, now);
                    if stop_above.is_some_and(|few| claimed > few) && self.recount.can_know(claimed)
                    {
                        return Ok(PieceRead::stopped(first.clocks));
                    }
                    let fits = cutter.begin(&piece, range.to.unwrap_or(now), &first.claim, now);
                    self.limits = cutter.limits();
                    if !fits {
                        continue 'piece;
                    }
                }
            }
            let PagesRead { clocks, end } = pages.outcome();
            let verdict = cutter.judge(&piece, range.to.unwrap_or(now), &end, now);
            self.limits = cutter.limits();
            match verdict {
                Verdict::Read { missing, dense } => {
                    return Ok(PieceRead {
                        read_to: piece.to,
                        clocks,
                        missing,
                        dense,
                        is_exact: end.claimed == end.distinct,
                        is_stopped: false,
                    });
                }
                Verdict::Again => {}
                Verdict::Endless => return Err(ApiError::body(EndlessPages).into()),
            }
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
        if let Some(form) = &read.page.unread_time {
            let is_first = !std::mem::replace(&mut self.named.time_form, true);
            instrumentation::TimeUnread { form, is_first }.record();
        }
        if let Some(key) = self.api.api_key()
            && read.page.account_ids.iter().any(|id| **id != *key)
        {
            let is_first = !std::mem::replace(&mut self.named.other_account, true);
            instrumentation::OtherAccountSeen { is_first }.record();
        }
        self.recount.take(&read.page);
        let tally = self.account.count(&read.page, now, watermark);
        let lines = self.account.outbox.take_cut();
        if lines > 0 {
            let is_first = !std::mem::replace(&mut self.named.cut_line, true);
            instrumentation::LinesCut { lines, is_first }.record();
        }
        counts.pages += 1;
        counts.counted += tally.lags.len() as u64;
        instrumentation::PageCounted { tally: &tally, at }.record(&self.metrics);
    }
}
