//! Reads the events of a range in the order of their time, a piece after the other,
//! so that a range of any length needs the memory of one piece.
//!
//! A piece is handed over once all of it was read: sorted, and each event once.
//! What becomes of the events is not decided here.

mod progress_line;
mod retrying_client;

pub(crate) use progress_line::ProgressLine;
use retrying_client::MatchingPages;
pub(crate) use retrying_client::RetryingClient;

use std::collections::{HashMap, HashSet};

use audit_core::{
    event::{Element, EventId, Keep, Page},
    raw_event::RawEvent,
    sweep::{Cutter, Range},
    window::Clocks,
};
use jiff::Timestamp;
use rustc_hash::FxBuildHasher;

use crate::api::{
    ApiError, ApiFilter,
    paging::{PageReader, PagesRead},
};

/// Which events are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryQuery {
    /// The first moment.
    pub(crate) from: Timestamp,
    /// The first moment that is not wanted any more; `None` where the range is open.
    pub(crate) to: Option<Timestamp>,
    /// Types, each of which is asked for by itself; empty for all of them.
    pub(crate) types: Vec<String>,
    /// What the API is to look for in an event.
    pub(crate) search_text: Option<String>,
}

/// An element of a page, as it is offered to whoever reads.
#[derive(Debug)]
pub(crate) struct RawElement<'a> {
    /// What is counted of it.
    pub(crate) element: &'a Element<'a>,
    /// All of it.
    pub(crate) json: &'a str,
}

/// An event that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept<T> {
    /// `None` where the API gives no time that can be read.
    pub(crate) created_at: Option<Timestamp>,
    /// What it is known by.
    pub(crate) id: EventId,
    /// What was kept of it.
    pub(crate) value: T,
}

/// A part of the range that was read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HistoryPiece<T> {
    /// In the order of their time, those without one at the end.
    pub(crate) events: Vec<Kept<T>>,
    /// Where the next piece begins; `None` where this is the last one.
    pub(crate) read_to: Option<Timestamp>,
    /// When reading it began.
    pub(crate) clocks: Clocks,
    /// How many events the API says there are beyond those that it showed.
    pub(crate) missing: u64,
}

/// A range that is being read.
#[derive(Debug)]
pub(crate) struct History {
    client: RetryingClient,
    wanted: HistoryQuery,
    cutter: Cutter,
    /// Where the next piece begins; `None` after the last one.
    next: Option<Timestamp>,
    /// Events without a time may be part of every answer.
    timeless: HashSet<EventId, FxBuildHasher>,
    progress: ProgressLine,
}

impl History {
    /// Nothing is asked of the API yet.
    pub(crate) fn new(
        client: RetryingClient,
        wanted: HistoryQuery,
        progress: ProgressLine,
    ) -> Self {
        Self {
            client,
            next: Some(wanted.from),
            wanted,
            cutter: Cutter::default(),
            timeless: HashSet::default(),
            progress,
        }
    }

    /// Where the next piece begins, which is up to where everything was read.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// What a person sees while the range is read.
    pub(crate) fn progress(&self) -> &ProgressLine {
        &self.progress
    }

    /// Reads the range again from this moment on, which must be open at its end.
    pub(crate) fn read_on_from(&mut self, from: Timestamp) {
        self.next = Some(from);
    }

    /// Reads the next piece; `None` after the last one. `keep` says what is kept of
    /// an element, and may be asked of the same one more than once.
    ///
    /// # Errors
    /// [`ApiError`], once trying again has not helped. The same piece is read again
    /// at the next call.
    pub(crate) async fn next_piece<T>(
        &mut self,
        mut keep: impl FnMut(&RawElement<'_>) -> Option<T>,
    ) -> Result<Option<HistoryPiece<T>>, ApiError> {
        let Some(from) = self.next else {
            return Ok(None);
        };
        loop {
            let end = self.wanted.to.unwrap_or_else(Timestamp::now);
            let read_to = self.cutter.piece_end(from, end);
            let range = Range {
                from,
                to: read_to.or(self.wanted.to),
            };
            let mut held = PieceEvents::new(range);
            let read = self.read(range, read_to.is_some(), &mut held, &mut keep);
            let Some(read) = read.await? else { continue };
            let events = held.sorted(&mut self.timeless);
            self.next = read_to;
            self.progress.piece_ended();
            return Ok(Some(HistoryPiece {
                events,
                read_to,
                clocks: read.clocks,
                missing: read.missing,
            }));
        }
    }

    /// Reads the range for each type; `None` where all together are too many.
    async fn read<T>(
        &mut self,
        range: Range,
        is_cut: bool,
        held: &mut PieceEvents<T>,
        keep: &mut impl FnMut(&RawElement<'_>) -> Option<T>,
    ) -> Result<Option<PagesRead>, ApiError> {
        let mut sum: Option<PagesRead> = None;
        let matchings = self.matchings();
        // Of several types the first tells nothing of the whole.
        let is_whole = matchings.len() == 1;
        for matching in matchings {
            let before = sum.map_or(0, |sum| sum.claimed);
            let source = MatchingPages::new(&self.client, matching);
            let mut pages = PageReader::new(&source, range, Keep::Raw);
            if is_cut {
                pages = pages.expecting_many();
            }
            while let Some(read) = pages.next(Timestamp::now()).await? {
                held.take(&read.page, &mut *keep);
                let total = read.page.total_elements.filter(|_| is_whole);
                self.progress.page_read(read.page.elements.len(), total);
                if let Some(first) = read.first {
                    let to = range.to.unwrap_or_else(|| first.clocks.earliest());
                    if !self.cutter.fits(range.from, to, before + first.claimed) {
                        self.progress.piece_dropped();
                        return Ok(None);
                    }
                }
            }
            let read = pages.outcome();
            let sum = sum.get_or_insert(PagesRead {
                claimed: 0,
                missing: 0,
                ..read
            });
            sum.claimed += read.claimed;
            sum.missing += read.missing;
        }
        Ok(sum)
    }

    fn matchings(&self) -> Vec<ApiFilter> {
        let matching = |event_type: Option<&String>| ApiFilter {
            event_type: event_type.cloned(),
            search_text: self.wanted.search_text.clone(),
        };
        let types = self.wanted.types.iter();
        let each: Vec<_> = types.map(|name| matching(Some(name))).collect();
        if each.is_empty() {
            return vec![matching(None)];
        }
        each
    }
}

/// The events of a piece while it is being read.
struct PieceEvents<T> {
    range: Range,
    events: HashMap<EventId, Kept<T>, FxBuildHasher>,
}

impl<T> PieceEvents<T> {
    fn new(range: Range) -> Self {
        Self {
            range,
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

    /// The range is asked for with a little more than is wanted, and an API may show
    /// what was not asked for at all.
    fn is_within(&self, created_at: Option<Timestamp>) -> bool {
        created_at
            .is_none_or(|time| time >= self.range.from && self.range.to.is_none_or(|to| time < to))
    }

    fn sorted(self, timeless: &mut HashSet<EventId, FxBuildHasher>) -> Vec<Kept<T>> {
        let mut events: Vec<_> = self.events.into_values().collect();
        events.retain(|kept| kept.created_at.is_some() || timeless.insert(kept.id));
        events.sort_unstable_by_key(|kept| (kept.created_at.is_none(), kept.created_at, kept.id));
        events
    }
}
