//! Reads all pages of one range: several at once, and again while they shift.
//!
//! Whoever asks says how a page is asked for and what becomes of it. What is read
//! again is handed over again: telling the same event twice apart from two events
//! is not done here.

use std::future::Future;

use audit_core::{
    event::{Keep, Page},
    sweep::{Range, Step, Sweep},
    window::Clocks,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};

use crate::api::{Answer, ApiError, ListQuery, PAGE_SIZE};

/// How many pages are under way at once.
pub const CONCURRENT_PAGES: usize = 8;
/// Whether the API's bounds belong to a range is not documented, so each range is
/// asked for with a second more than is wanted.
const BOUND: SignedDuration = SignedDuration::from_secs(1);

/// A range of which every page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagesRead {
    /// When the first page was asked for.
    pub clocks: Clocks,
    /// How many events the API says there are.
    pub claimed: u64,
    /// How many of them it did not show.
    pub missing: u64,
}

/// Reads all pages of `range`, and all of them again while they shift. So many
/// pages are `expected` that may be asked for before the first has told how many
/// there are; `keep` says what is kept of their elements. `None` if after the first page there are too many to go on, by what
/// `fits` says of how many events are claimed.
///
/// # Errors
/// [`ApiError`] of the first request that fails; pages under way are dropped.
pub async fn read_pages<F>(
    ask: impl Fn(ListQuery) -> F,
    local: impl Fn() -> Timestamp,
    mut range: Range,
    expected: u64,
    keep: Keep,
    fits: impl FnOnce(u64, Clocks) -> bool,
    mut take: impl FnMut(&Page<'_>, &Answer<String>),
) -> Result<Option<PagesRead>, ApiError>
where
    F: Future<Output = Result<Answer<String>, ApiError>>,
{
    let mut sweep = Sweep::new(PAGE_SIZE);
    sweep.expect_pages(expected);
    let mut first: Option<Clocks> = None;
    let mut fits = Some(fits);
    loop {
        let asked = local();
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < CONCURRENT_PAGES
                && let Some(page) = sweep.next_page()
            {
                under_way.push(ask(query(range, page)));
            }
            let Some(answer) = under_way.next().await else {
                break;
            };
            let answer = answer?;
            let page = Page::parse(&answer.value, keep).map_err(ApiError::body)?;
            let clocks = *first.get_or_insert(Clocks {
                api: answer.date.unwrap_or(asked),
                local: asked,
            });
            sweep.take(&page);
            take(&page, &answer);
            if let Some(fits) = fits.take()
                && !fits(sweep.claimed(), clocks)
            {
                return Ok(None);
            }
        }
        let clocks = first.unwrap_or(Clocks {
            api: asked,
            local: asked,
        });
        let whole = |missing| PagesRead {
            clocks,
            claimed: sweep.claimed(),
            missing,
        };
        match sweep.step() {
            Step::Read(_) => {}
            Step::Whole => return Ok(Some(whole(0))),
            Step::Short { missing } => return Ok(Some(whole(missing))),
            Step::ReadAgain if range.to.is_none() => {
                // With an end to the range, what arrives meanwhile shifts nothing.
                range.to = Some(clocks.api);
                sweep.read_again_narrower();
            }
            Step::ReadAgain => sweep.read_again(),
        }
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
