//! The limits of a list that its answers do not tell.

use crate::listed_page::ListedPage;
use crate::query::Query;
use crate::settings::SimulatorSettings;

/// The limits of a list.
#[derive(Clone, Copy)]
pub(crate) struct ListLimits {
    total: u64,
    pages: u64,
    size: u64,
}

impl ListLimits {
    pub(crate) fn new(settings: &SimulatorSettings) -> Self {
        Self {
            total: settings.limit_total.unwrap_or(u64::MAX),
            pages: settings.limit_pages.unwrap_or(u64::MAX),
            size: settings.clamp_size.unwrap_or(u64::MAX),
        }
    }

    /// Returns the query as the API takes it; `None` if the page that it asks for is refused.
    pub(crate) fn apply(self, mut query: Query) -> Option<Query> {
        query.size = query.size.min(self.size);
        let before = (query.page - 1).saturating_mul(query.size);
        // Without a limit, a page behind the last one is empty.
        let is_shown = before < self.total || self.total == u64::MAX;
        (query.page <= self.pages && is_shown).then_some(query)
    }

    /// Takes out of a page what is not shown.
    pub(crate) fn cut(self, page: &mut ListedPage, query: &Query) {
        let before = (query.page - 1).saturating_mul(query.size);
        page.total = page.total.min(self.total);
        let left = usize::try_from(page.total.saturating_sub(before)).unwrap_or(usize::MAX);
        page.events.truncate(left);
    }
}
