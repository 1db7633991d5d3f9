//! The limits of a list that its answers do not tell.

use crate::list_form::{BeyondLast, IncludedBounds};
use crate::listed_page::ListedPage;
use crate::query::Query;
use crate::random::{self, Purpose};
use crate::settings::SimulatorSettings;

/// The limits of a list.
#[derive(Clone, Copy)]
pub(crate) struct ListLimits {
    total: Option<u64>,
    pages: u64,
    size: u64,
    bounds: IncludedBounds,
    beyond_last: Option<BeyondLast>,
    seed: u64,
    shrink_share: f64,
}

impl ListLimits {
    pub(crate) fn new(settings: &SimulatorSettings) -> Self {
        Self {
            total: settings.limit_total,
            pages: settings.limit_pages.unwrap_or(u64::MAX),
            size: settings.clamp_size.unwrap_or(u64::MAX),
            bounds: settings.bounds,
            beyond_last: settings.beyond_last,
            seed: settings.seed,
            shrink_share: settings.shrink_share,
        }
    }

    /// Returns the query as the API takes it.
    pub(crate) fn apply(self, mut query: Query) -> Query {
        query.size = query.size.min(self.size);
        if !self.bounds.include_from() {
            query.from = query.from.map(|second| second.saturating_add(1));
        }
        if !self.bounds.include_to() {
            query.to = query.to.map(|second| second.saturating_sub(1));
        }
        query
    }

    /// Takes out of a page what is not shown. Returns the answer that takes the place of a
    /// page without events; `None` if the page itself is the answer.
    pub(crate) fn cut(self, page: &mut ListedPage, query: &Query) -> Option<BeyondLast> {
        let before = (query.page - 1).saturating_mul(query.size);
        let is_limited = query.page > self.pages || self.total.is_some_and(|total| before >= total);
        page.total = page.total.min(self.total.unwrap_or(u64::MAX));
        let left = usize::try_from(page.total.saturating_sub(before)).unwrap_or(usize::MAX);
        page.events.truncate(if is_limited { 0 } else { left });
        if query.page == 1 || !page.events.is_empty() {
            return None;
        }
        let unless_told = is_limited.then_some(BeyondLast::BadRequest);
        let answer = self.beyond_last.or(unless_told);
        answer.filter(|answer| *answer != BeyondLast::Empty)
    }

    /// Lets page 1 of a reading that has this number count one page of events that are gone
    /// by the time of page 2, if the list shrinks during this reading.
    pub(crate) fn shrink(self, page: &mut ListedPage, query: &Query, reading: u64) {
        let shrinks = random::share(self.seed, Purpose::Shrink, reading) < self.shrink_share;
        if query.page == 1 && shrinks {
            page.total = page.total.saturating_add(query.size);
        }
    }
}
