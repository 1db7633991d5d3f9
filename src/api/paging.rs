//! Reads all pages of one piece of a range: several at once, and again if the pages shifted
//! meanwhile.
//!
//! [`Sweep`] decides which pages to read, and this module requests them. A page that is
//! read again is returned again: the reader does not know which events are the same.

use std::{
    future::{Future, pending},
    panic::resume_unwind,
    time::Duration,
};

use audit_core::{
    event::{Keep, Page},
    sweep::{FirstClaim, Piece, Range, Step, Sweep, SweepEnd, widened_end},
    window::Clocks,
};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use jiff::Timestamp;
use tokio::task::JoinSet;
use tracing::Instrument;

use super::{ApiAnswer, ApiError, PAGE_SIZE, PageQuery};
use crate::metrics::log_seconds;

/// The highest number of pages that are requested at once.
const CONCURRENT_PAGES: usize = 8;

/// A source of pages, such as a client of the API.
pub trait PageSource: Send + Sync {
    /// Requests one page of the list of events.
    fn page(
        &self,
        query: PageQuery,
    ) -> impl Future<Output = Result<ApiAnswer<String>, ApiError>> + Send;

    /// Waits before a page that failed is requested again.
    fn wait_for_retry(&self, wait: Duration) -> impl Future<Output = ()> + Send;

    /// Returns how often a page that failed is requested again, once another page of the
    /// range was read.
    fn max_retries(&self) -> u32 {
        3
    }
}

/// The wait before the first retry of a page; each further wait is twice as long.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// The longest wait that the API may ask for while a range is read. After a longer one, the
/// range is read again later.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// Requests a page, and requests it again where that may help.
async fn page_with_retries<S: PageSource>(
    source: &S,
    query: PageQuery,
) -> Result<ApiAnswer<String>, ApiError> {
    let mut retries = 0;
    loop {
        let error = match source.page(query).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let asked = error.retry_after().unwrap_or_default();
        let is_useful = error.may_pass() && asked <= LONGEST_RETRY_AFTER;
        if !is_useful || retries == source.max_retries() {
            return Err(error);
        }
        let wait = asked.max(FIRST_RETRY * 2_u32.pow(retries));
        retries += 1;
        let (page, wait_seconds) = (query.page, log_seconds(wait));
        tracing::debug!(page, %error, wait_seconds, "a page failed and is requested again");
        source.wait_for_retry(wait).await;
    }
}

/// Requests how many events the API claims of a range. The value is `None` if it claims no
/// number.
///
/// # Errors
/// The [`ApiError`] of the request, unless the API refuses it.
pub(crate) async fn claimed(
    source: &impl PageSource,
    range: Range,
) -> Result<ApiAnswer<Option<u64>>, ApiError> {
    let query = PageQuery {
        from: range.from,
        to: range.to,
        page: 1,
        size: 1,
    };
    let ApiAnswer { value, date, .. } = match page_with_retries(source, query).await {
        Ok(answer) => answer,
        Err(error) if is_no_such_page(&error) => {
            return Ok(ApiAnswer {
                value: None,
                date: None,
                room: None,
            });
        }
        Err(error) => return Err(error),
    };
    let page = Page::parse(&value, Keep::Parsed).map_err(ApiError::body)?;
    Ok(ApiAnswer {
        value: page.total_elements,
        date,
        room: None,
    })
}

/// Reads all pages of one piece of a range.
///
/// ```text
/// let mut pages = PageReader::new(&source, &piece, Keep::Parsed);
/// while let Some(read) = pages.next(now).await? {
///     // take the elements of read.page
/// }
/// let outcome = pages.outcome();
/// ```
pub(crate) struct PageReader<'s, S> {
    source: &'s S,
    /// The times that requests name.
    range: Range,
    keep: Keep,
    sweep: Sweep,
    under_way: FuturesUnordered<BoxFuture<'s, PageAnswer>>,
    /// The answers that were errors before page 1 said which pages there are.
    early_errors: Vec<(u64, ApiError)>,
    /// The error with which reading ends, once no page is under way.
    failure: Option<ApiError>,
    /// The local time at which the range was first requested.
    asked: Option<Timestamp>,
    /// The clocks of the first answer.
    first: Option<Clocks>,
    /// The answer whose page the caller has.
    current: ApiAnswer<String>,
}

/// The answer in the place of the one whose page the caller no longer has.
const NO_ANSWER: ApiAnswer<String> = ApiAnswer {
    value: String::new(),
    date: None,
    room: None,
};

/// The number of a page, and the answer to the request for it.
type PageAnswer = (u64, Result<ApiAnswer<String>, ApiError>);

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
#[derive(Debug, Clone, Copy)]
pub(crate) struct FirstPage {
    /// The clocks when the range was requested.
    pub(crate) clocks: Clocks,
    /// The claims of the page.
    pub(crate) claim: FirstClaim,
}

/// The outcome of reading all pages of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PagesRead {
    /// The clocks when the range was first requested.
    pub(crate) clocks: Clocks,
    /// How the sweep has ended.
    pub(crate) end: SweepEnd,
}

impl PagesRead {
    /// Returns the outcome of reading two parts of the events of one range.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            clocks: self.clocks,
            end: self.end.and(other.end),
        }
    }
}

impl<'s, S: PageSource> PageReader<'s, S> {
    /// Creates a reader of `piece`; `keep` says what is kept of the elements of each page.
    /// No page is requested yet.
    pub(crate) fn new(source: &'s S, piece: &Piece, keep: Keep) -> Self {
        Self {
            source,
            range: piece.request,
            keep,
            sweep: Sweep::over(piece, PAGE_SIZE),
            under_way: FuturesUnordered::new(),
            early_errors: Vec::new(),
            failure: None,
            asked: None,
            first: None,
            current: NO_ANSWER,
        }
    }

    /// Returns the next page, in the order in which answers arrive; `None` once the range
    /// was read completely, once reading it again has returned no further events, or once its
    /// pages have turned out not to end.
    /// `local` is the local time now.
    ///
    /// # Errors
    /// The [`ApiError`] of the first page that fails for good, unless the page is one that need
    /// not exist. The pages that were under way by then are returned first: what was read
    /// counts.
    pub(crate) async fn next(
        &mut self,
        local: Timestamp,
    ) -> Result<Option<ReadPage<'_>>, ApiError> {
        let asked = *self.asked.get_or_insert(local);
        // While a large answer is held, no other one is read.
        self.current = NO_ANSWER;
        loop {
            self.ask();
            if let Some((number, answer)) = self.under_way.next().await {
                match answer {
                    Ok(answer) => {
                        self.current = answer;
                        return self.parse(number, asked).map(Some);
                    }
                    Err(error) => self.lack(number, error)?,
                }
                continue;
            }
            self.settle_early_errors()?;
            if let Some(error) = self.failure.take() {
                return Err(error);
            }
            match self.sweep.step() {
                Step::Read(_) => {}
                Step::Whole | Step::Short { .. } | Step::Limited | Step::Endless => {
                    return Ok(None);
                }
                Step::ReadAgain => self.read_again(),
            }
        }
    }

    /// Returns the outcome, once [`PageReader::next`] has returned `None`.
    pub(crate) fn outcome(&self) -> PagesRead {
        PagesRead {
            clocks: self.clocks(),
            end: self.sweep.end(),
        }
    }

    fn clocks(&self) -> Clocks {
        let local = self.asked.unwrap_or(Timestamp::MIN);
        self.first.unwrap_or(Clocks { api: local, local })
    }

    fn ask(&mut self) {
        while self.failure.is_none()
            && self.under_way.len() < CONCURRENT_PAGES
            && let Some(page) = self.sweep.next_page()
        {
            let query = PageQuery {
                from: self.range.from,
                to: self.range.to,
                page,
                size: PAGE_SIZE,
            };
            let source = self.source;
            // If the first request fails, nothing is lost: the poll is repeated.
            let is_alone = page == 1 && self.first.is_none();
            self.under_way.push(Box::pin(async move {
                let answer = if is_alone {
                    source.page(query).await
                } else {
                    page_with_retries(source, query).await
                };
                (page, answer)
            }));
        }
    }

    /// Takes in that the API has not shown a page.
    ///
    /// # Errors
    /// The error itself, unless the page need not exist.
    fn lack(&mut self, number: u64, error: ApiError) -> Result<(), ApiError> {
        if number > 1 && (is_no_such_page(&error) || self.sweep.is_beyond(number)) {
            self.sweep.refuse(number);
            return Ok(());
        }
        if number > 1 && !self.sweep.has_first() {
            self.early_errors.push((number, error));
            return Ok(());
        }
        if self.first.is_none() {
            return Err(error);
        }
        self.failure.get_or_insert(error);
        Ok(())
    }

    fn settle_early_errors(&mut self) -> Result<(), ApiError> {
        for (number, error) in std::mem::take(&mut self.early_errors) {
            self.lack(number, error)?;
        }
        Ok(())
    }

    fn parse(&mut self, number: u64, asked: Timestamp) -> Result<ReadPage<'_>, ApiError> {
        let ApiAnswer { value, date, .. } = &self.current;
        let page = match number {
            1 => Page::parse(value, self.keep),
            _ => Page::parse_further(value, self.keep),
        };
        let page = page.map_err(ApiError::body)?;
        self.sweep.take(number, &page);
        let first = self.first.is_none().then(|| FirstPage {
            clocks: Clocks {
                api: date.unwrap_or(asked),
                local: asked,
            },
            claim: FirstClaim {
                claimed: self.sweep.claimed(),
                beside: 0,
                times: self.sweep.times(),
            },
        });
        self.first = self.first.or(first.map(|first| first.clocks));
        Ok(ReadPage {
            page,
            date: *date,
            first,
        })
    }

    fn read_again(&mut self) {
        if self.range.to.is_none() {
            // In a range with an end, new events shift no page.
            let to = widened_end(self.clocks().api);
            self.range.to = Some(to);
            self.sweep.read_again_narrower(to);
        } else {
            self.sweep.read_again();
        }
    }
}

/// Returns `true` for the error of a page that the API does not have or does not show.
fn is_no_such_page(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Status {
            status: 400 | 404 | 416 | 422,
            ..
        }
    )
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
