//! Reads all pages of one range: several at once, and again while they shift.
//!
//! Which pages are wanted is decided by [`Sweep`]; this module asks for them. A page
//! that is read again is handed over again: the reader does not tell an event that
//! comes twice from two events.

use std::future::Future;

use audit_core::{
    event::{Keep, Page},
    sweep::{Range, Step, Sweep},
    window::Clocks,
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};

use super::{ApiAnswer, ApiError, PAGE_SIZE, PageQuery};

/// The highest number of pages that are under way at once.
const CONCURRENT_PAGES: usize = 8;
/// Whether the API's bounds belong to a range is not documented, so each range is
/// asked for with a second more than is wanted.
const BOUND: SignedDuration = SignedDuration::from_secs(1);

/// Where pages come from.
pub trait PageSource: Send + Sync {
    /// Asks for one page of the list of events.
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
pub struct PageReader<'s, S> {
    source: &'s S,
    range: Range,
    keep: Keep,
    sweep: Sweep,
    under_way: FuturesUnordered<BoxFuture<'s, Result<ApiAnswer<String>, ApiError>>>,
    /// The local time at which the range was first asked for.
    asked: Option<Timestamp>,
    /// The clocks at the first answer.
    first: Option<Clocks>,
    missing: u64,
    /// The answer that the caller looks at.
    current: ApiAnswer<String>,
}

/// One page, as it was read.
#[derive(Debug)]
pub struct ReadPage<'p> {
    /// The page.
    pub page: Page<'p>,
    /// The API's clock when it answered with the page, as far as the API tells.
    pub date: Option<Timestamp>,
    /// What the first page says of the range; `None` with every later page.
    pub first: Option<FirstPage>,
}

/// What the first page says of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstPage {
    /// The clocks when the range was asked for.
    pub clocks: Clocks,
    /// How many events the API says there are.
    pub claimed: u64,
}

/// A range of which every page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagesRead {
    /// The clocks when the range was first asked for.
    pub clocks: Clocks,
    /// How many events the API says there are.
    pub claimed: u64,
    /// How many of them it did not show.
    pub missing: u64,
}

impl<'s, S: PageSource> PageReader<'s, S> {
    /// Reads `range` from `source`; `keep` says what is kept of the elements of each
    /// page. Nothing is asked for yet.
    pub fn new(source: &'s S, range: Range, keep: Keep) -> Self {
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

    /// Asks for several pages before the first has told how many there are: the range
    /// is one of several pieces, so it is likely to be full.
    #[must_use]
    pub fn expecting_many(mut self) -> Self {
        self.sweep.expect_pages(CONCURRENT_PAGES as u64);
        self
    }

    /// The next page, in the order in which answers come; `None` once the range was
    /// read whole, or once reading it again has brought nothing more. `local` is the
    /// local time now.
    ///
    /// # Errors
    /// [`ApiError`] of the first request that fails. The requests under way end with
    /// the reader.
    pub async fn next(&mut self, local: Timestamp) -> Result<Option<ReadPage<'_>>, ApiError> {
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

    /// What was read, once [`PageReader::next`] has returned `None`.
    pub fn outcome(&self) -> PagesRead {
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
            // With an end to the range, events that arrive meanwhile shift nothing.
            self.range.to = Some(clocks.api);
            self.sweep.read_again_narrower();
        } else {
            self.sweep.read_again();
        }
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
