//! Reads the events of a range in the order of their time, piece by piece, so that a
//! range of any length needs the memory of one piece.
//!
//! A piece is returned once all of it was read: sorted, with each event once.

mod backward;
mod retrying_client;

use backward::Backward;
use retrying_client::MatchingPages;
pub(crate) use retrying_client::RetryingClient;

use std::collections::{HashMap, HashSet};

use audit_core::{
    event::{Element, EventId, Keep, Page},
    raw_event::RawEvent,
    sweep::{Cutter, FirstClaim, Piece, Range, Verdict},
    window::Clocks,
};
use jiff::Timestamp;
use rustc_hash::FxBuildHasher;

use crate::{
    api::{
        ApiError, ApiFilter, EndlessPages,
        paging::{PageReader, PagesRead},
    },
    query::ProgressLine,
};

/// The events that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryQuery {
    /// The first moment of the range.
    pub(crate) from: Timestamp,
    /// The first moment after the range; `None` where the range has no end.
    pub(crate) to: Option<Timestamp>,
    /// The types, each of which is a request of its own; empty for all types.
    pub(crate) types: Vec<String>,
    /// The text that the API looks for in an event.
    pub(crate) search_text: Option<String>,
}

/// An element of a page, before it is kept or dropped.
#[derive(Debug)]
pub(crate) struct RawElement<'a> {
    /// The element as the counting code sees it.
    pub(crate) element: &'a Element<'a>,
    /// The whole element.
    pub(crate) json: &'a str,
}

/// An event that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept<T> {
    /// The time of creation; `None` where the API gives no readable time.
    pub(crate) created_at: Option<Timestamp>,
    /// The identity of the event.
    pub(crate) id: EventId,
    /// The part of the event that the caller keeps.
    pub(crate) value: T,
}

/// A part of the range that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryPiece<T> {
    /// The events in the order of their time; events without a time are at the end.
    pub(crate) events: Vec<Kept<T>>,
    /// The time at which the next piece begins; `None` after the last piece.
    pub(crate) read_to: Option<Timestamp>,
    /// The clocks when reading began.
    pub(crate) clocks: Clocks,
    /// The number of events that the API reports and does not return.
    pub(crate) missing: u64,
}

/// The error of a range that the API does not return whole, however often it is read.
#[derive(Debug, thiserror::Error)]
#[error(
    "the output is incomplete: the API reports more events than it returns, also when it is asked again ({missing} missing); run the command again, or ask the vendor"
)]
pub(crate) struct IncompleteRange {
    /// The number of events that the API reports and does not return.
    missing: u64,
}

impl IncompleteRange {
    /// Returns the error for a range of which `missing` events are missing.
    ///
    /// # Errors
    /// The error itself, unless `missing` is 0.
    pub(crate) fn unless_none(missing: u64) -> Result<(), Self> {
        match missing {
            0 => Ok(()),
            missing => Err(Self { missing }),
        }
    }
}

/// A range that is being read.
#[derive(Debug)]
pub(crate) struct History {
    client: RetryingClient,
    query: HistoryQuery,
    cutter: Cutter,
    /// The time at which the next piece begins; `None` after the last piece.
    next: Option<Timestamp>,
    /// The events without a time, which any answer may hold.
    timeless: HashSet<EventId, FxBuildHasher>,
    progress: ProgressLine,
    backward: Backward,
}

impl History {
    /// Returns a range of which nothing has been read.
    pub(crate) fn new(client: RetryingClient, query: HistoryQuery, progress: ProgressLine) -> Self {
        Self {
            client,
            next: Some(query.from),
            backward: Backward::new(Range {
                from: query.from,
                to: query.to,
            }),
            query,
            cutter: Cutter::default(),
            timeless: HashSet::default(),
            progress,
        }
    }

    /// Returns the time at which the next piece begins; everything before was read.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Continues an open range from this moment on.
    pub(crate) fn read_on_from(&mut self, from: Timestamp) {
        self.query.to = None;
        self.next = Some(from);
    }

    /// Reads the next piece; `None` after the last piece. `keep` returns what is kept of
    /// an element, and may see an element more than once.
    ///
    /// # Errors
    /// [`ApiError`], after the last retry. The next call reads the same piece.
    pub(crate) async fn next_piece<T>(
        &mut self,
        mut keep: impl FnMut(&RawElement<'_>) -> Option<T>,
    ) -> Result<Option<HistoryPiece<T>>, ApiError> {
        let Some(from) = self.next else {
            return Ok(None);
        };
        let mut held = PieceEvents::new(from, self.query.to);
        loop {
            let now = Timestamp::now();
            let range = Range {
                from,
                to: self.query.to,
            };
            let piece = self.cutter.piece(range, now);
            let Some(read) = self.read(&piece, &mut held, &mut keep).await? else {
                continue;
            };
            let end = self.query.to.unwrap_or_else(|| read.clocks.earliest());
            let verdict = self.cutter.judge(&piece, end, &read.end, now);
            let missing = match verdict {
                Verdict::Read { missing, .. } => missing,
                Verdict::Again => {
                    self.progress.piece_dropped();
                    continue;
                }
                Verdict::Endless => return Err(ApiError::body(EndlessPages)),
            };
            let events = held.sorted(piece.to, &mut self.timeless);
            self.next = piece.to;
            self.progress.piece_ended();
            return Ok(Some(HistoryPiece {
                events,
                read_to: piece.to,
                clocks: read.clocks,
                missing,
            }));
        }
    }

    /// Reads the piece for each type; `None` if all types together have too many events
    /// for one piece, or one type more than the API returns for one query.
    async fn read<T>(
        &mut self,
        piece: &Piece,
        held: &mut PieceEvents<T>,
        keep: &mut impl FnMut(&RawElement<'_>) -> Option<T>,
    ) -> Result<Option<PagesRead>, ApiError> {
        let mut all: Option<PagesRead> = None;
        let mut beside = 0;
        let matchings = self.matchings();
        // With several types, the number of events of one type is not that of the range, and
        // neither is the number of events of a stretch.
        let is_whole = matchings.len() == 1 && !self.backward.has_begun();
        for matching in matchings {
            let source = MatchingPages::new(&self.client, matching);
            let mut pages = PageReader::new(&source, piece, Keep::Raw);
            while let Some(read) = pages.next(Timestamp::now()).await? {
                held.take(&read.page, &mut *keep);
                let total = read.page.total_elements.filter(|_| is_whole);
                self.progress.page_read(read.page.elements.len(), total);
                if let Some(first) = read.first {
                    let now = first.clocks.earliest();
                    let claim = FirstClaim {
                        beside,
                        ..first.claim
                    };
                    let end = self.query.to.unwrap_or(now);
                    if !self.cutter.begin(piece, end, &claim, now) {
                        self.progress.piece_dropped();
                        return Ok(None);
                    }
                }
            }
            let read = pages.outcome();
            beside += read.end.claimed;
            all = Some(all.map_or(read, |all| all.and(read)));
        }
        Ok(all)
    }

    fn matchings(&self) -> Vec<ApiFilter> {
        let matching = |event_type: Option<&String>| ApiFilter {
            event_type: event_type.cloned(),
            search_text: self.query.search_text.clone(),
        };
        let types = self.query.types.iter();
        let each: Vec<_> = types.map(|name| matching(Some(name))).collect();
        if each.is_empty() {
            return vec![matching(None)];
        }
        each
    }
}

/// The events of a piece while it is being read.
struct PieceEvents<T> {
    /// The beginning of the piece.
    from: Timestamp,
    /// The end of the whole range, which the piece may not reach.
    to: Option<Timestamp>,
    events: HashMap<EventId, Kept<T>, FxBuildHasher>,
}

impl<T> PieceEvents<T> {
    fn new(from: Timestamp, to: Option<Timestamp>) -> Self {
        Self {
            from,
            to,
            events: HashMap::default(),
        }
    }

    fn take(&mut self, page: &Page<'_>, mut keep: impl FnMut(&RawElement<'_>) -> Option<T>) {
        for (element, json) in page.elements.iter().zip(&page.raw) {
            let created_at = match element {
                Element::Event(event) => event.created_at,
                Element::Malformed(_) => RawEvent::parse(json).created_at(),
            };
            if !self.is_within(created_at) {
                continue;
            }
            let id = element.id();
            if let Some(value) = keep(&RawElement { element, json }) {
                let kept = Kept {
                    created_at,
                    id,
                    value,
                };
                self.events.insert(id, kept);
            }
        }
    }

    /// Returns `true` for a time of the range: requests reach a little further than the
    /// range, and the API may return events that were not asked for.
    fn is_within(&self, created_at: Option<Timestamp>) -> bool {
        created_at.is_none_or(|time| time >= self.from && self.to.is_none_or(|to| time < to))
    }

    /// Returns the events of the piece that ends at `read_to`.
    fn sorted(
        mut self,
        read_to: Option<Timestamp>,
        timeless: &mut HashSet<EventId, FxBuildHasher>,
    ) -> Vec<Kept<T>> {
        self.to = read_to.or(self.to);
        let all = std::mem::take(&mut self.events).into_values();
        let mut events: Vec<_> = all
            .filter(|kept| self.is_within(kept.created_at))
            .filter(|kept| kept.created_at.is_some() || timeless.insert(kept.id))
            .collect();
        events.sort_unstable_by_key(|kept| (kept.created_at.is_none(), kept.created_at, kept.id));
        events
    }
}
