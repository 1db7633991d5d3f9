//! Reads all pages of one range: several at once, and again if the pages shifted meanwhile.
//!
//! [`Sweep`] decides which pages to read, and this module requests them. A page that is
//! read again is returned again: the reader does not know which events are the same.

use std::{
    future::{Future, pending},
    panic::resume_unwind,
};

use audit_core::{
    event::{Keep, Page},
    sweep::{Range, Step, Sweep},
    window::Clocks,
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::{ApiAnswer, ApiError, PAGE_SIZE, PageQuery};

/// The highest number of pages that are requested at once.
const CONCURRENT_PAGES: usize = 8;
/// The time by which each request exceeds its range at both ends: it is not documented
/// whether a range includes its bounds.
const BOUND: SignedDuration = SignedDuration::from_secs(1);

/// A source of pages, such as a client of the API.
pub trait PageSource: Send + Sync {
    /// Requests one page of the list of events.
    fn page(
        &self,
        query: PageQuery,
    ) -> impl Future<Output = Result<ApiAnswer<String>, ApiError>> + Send;
}

/// Reads all pages of one range.
///
/// ```text
/// let mut pages = PageReader::new(&source, range, Keep::Parsed);
/// while let Some(read) = pages.next(now).await? {
///     // take the elements of read.page
/// }
/// let outcome = pages.outcome();
/// ```
pub(crate) struct PageReader<'s, S> {
    source: &'s S,
    range: Range,
    keep: Keep,
    sweep: Sweep,
    under_way: FuturesUnordered<BoxFuture<'s, Result<ApiAnswer<String>, ApiError>>>,
    /// The local time at which the range was first requested.
    asked: Option<Timestamp>,
    /// The clocks of the first answer.
    first: Option<Clocks>,
    /// The number of events that the API reported and did not return.
    missing: u64,
    /// The answer whose page the caller has.
    current: ApiAnswer<String>,
}

/// One page that was read.
#[derive(Debug)]
pub(crate) struct ReadPage<'p> {
    /// The page.
    pub(crate) page: Page<'p>,
    /// The time of the API when it answered, from the `Date` header.
    pub(crate) date: Option<Timestamp>,
    /// The facts that only the first answer has; `None` with every later page.
    pub(crate) first: Option<FirstPage>,
}

/// The facts about a range that the first answer gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstPage {
    /// The clocks when the range was requested.
    pub(crate) clocks: Clocks,
    /// The number of events that the API reports.
    pub(crate) claimed: u64,
}

/// The outcome of reading all pages of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PagesRead {
    /// The clocks when the range was first requested.
    pub(crate) clocks: Clocks,
    /// The number of events that the API reports.
    pub(crate) claimed: u64,
    /// The number of events that the API reports and did not return.
    pub(crate) missing: u64,
}

impl<'s, S: PageSource> PageReader<'s, S> {
    /// Creates a reader of `range`; `keep` says what is kept of the elements of each page.
    /// No page is requested yet.
    pub(crate) fn new(source: &'s S, range: Range, keep: Keep) -> Self {
        Self {
            source,
            range,
            keep,
            sweep: Sweep::new(PAGE_SIZE),
            under_way: FuturesUnordered::new(),
            asked: None,
            first: None,
            missing: 0,
            current: ApiAnswer {
                value: String::new(),
                date: None,
            },
        }
    }

    /// Requests several pages at once from the beginning, before the first answer says how
    /// many there are. Meant for one piece of several, which is likely to be full.
    pub(crate) fn expecting_many(mut self) -> Self {
        self.sweep.expect_pages(CONCURRENT_PAGES as u64);
        self
    }

    /// Returns the next page, in the order in which answers arrive; `None` once the range
    /// was read completely, or once reading it again has returned no further events.
    /// `local` is the local time now.
    ///
    /// # Errors
    /// The [`ApiError`] of the first request that fails. Requests under way are dropped
    /// with the reader.
    pub(crate) async fn next(
        &mut self,
        local: Timestamp,
    ) -> Result<Option<ReadPage<'_>>, ApiError> {
        let asked = *self.asked.get_or_insert(local);
        loop {
            self.ask();
            if let Some(answer) = self.under_way.next().await {
                self.current = answer?;
                return self.parse(asked).map(Some);
            }
            match self.sweep.step() {
                Step::Read(_) => {}
                Step::Whole => return Ok(None),
                Step::Short { missing } => {
                    self.missing = missing;
                    return Ok(None);
                }
                Step::ReadAgain => self.read_again(),
            }
        }
    }

    /// Returns the outcome, once [`PageReader::next`] has returned `None`.
    pub(crate) fn outcome(&self) -> PagesRead {
        let local = self.asked.unwrap_or(Timestamp::MIN);
        PagesRead {
            clocks: self.first.unwrap_or(Clocks { api: local, local }),
            claimed: self.sweep.claimed(),
            missing: self.missing,
        }
    }

    fn ask(&mut self) {
        while self.under_way.len() < CONCURRENT_PAGES
            && let Some(page) = self.sweep.next_page()
        {
            let query = query(self.range, page);
            self.under_way.push(Box::pin(self.source.page(query)));
        }
    }

    fn parse(&mut self, asked: Timestamp) -> Result<ReadPage<'_>, ApiError> {
        let ApiAnswer { value, date } = &self.current;
        let page = Page::parse(value, self.keep).map_err(ApiError::body)?;
        self.sweep.take(&page);
        let first = self.first.is_none().then(|| FirstPage {
            clocks: Clocks {
                api: date.unwrap_or(asked),
                local: asked,
            },
            claimed: self.sweep.claimed(),
        });
        self.first = self.first.or(first.map(|first| first.clocks));
        Ok(ReadPage {
            page,
            date: *date,
            first,
        })
    }

    fn read_again(&mut self) {
        let clocks = self.outcome().clocks;
        if self.range.to.is_none() {
            // In a range with an end, new events shift no page.
            self.range.to = Some(clocks.api);
            self.sweep.read_again_narrower();
        } else {
            self.sweep.read_again();
        }
    }
}

/// Runs `work` in a task of its own, within the log span of the caller: a page is then
/// received and decompressed while others are parsed. The task ends with the future.
pub(crate) async fn in_own_task<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    // A set ends its tasks when it is dropped.
    let mut task = JoinSet::new();
    task.spawn(work.in_current_span());
    match task.join_next().await {
        Some(Ok(done)) => done,
        Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
        // The runtime is ending, and the task with it.
        _ => pending().await,
    }
}

fn query(range: Range, page: u64) -> PageQuery {
    PageQuery {
        from: range.from.saturating_sub(BOUND).unwrap_or(Timestamp::MIN),
        to: range
            .to
            .map(|to| to.saturating_add(BOUND).unwrap_or(Timestamp::MAX)),
        page,
    }
}
