//! A client of the API that sends a failed request again, where that may help.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit_core::event::EventType;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use crate::{
    api::{
        ApiAnswer, ApiClient, ApiError, ApiFilter, PageQuery,
        paging::{PageSource, in_own_task},
    },
    metrics::log_seconds,
    query::print_message,
};

/// The highest number of times that a failed request is sent again.
const MAX_RETRIES: usize = 6;
/// The same, for a request that got no answer of an API that has not answered at all: its
/// address is probably wrong.
const MAX_RETRIES_UNANSWERED: usize = 2;
/// The wait before the first retry; each further wait is twice as long.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// The longest wait that the API may ask for: a person waits for the command.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);
/// A wait that is at least as long is told.
const LONG_WAIT: Duration = Duration::from_secs(5);
/// The shortest time from one message about a failure to the next: requests may fail by the
/// dozen.
const QUIET: Duration = Duration::from_mins(1);

/// A client of the API that sends a failed request again, where that may help.
#[derive(Debug, Clone)]
pub(crate) struct RetryingClient {
    client: Arc<ApiClient>,
    course: Arc<Mutex<Course>>,
}

/// How the requests have gone so far.
#[derive(Debug, Default)]
struct Course {
    /// `true` once the API has answered, be it with an error.
    has_answered: bool,
    /// When a failure was told last.
    told: Option<Instant>,
}

impl RetryingClient {
    /// Returns a client that sends its requests through `client`.
    pub(crate) fn new(client: ApiClient) -> Self {
        Self {
            client: Arc::new(client),
            course: Arc::default(),
        }
    }

    /// Reads one page of the events that match, in a task of its own: pages are received
    /// and decompressed while others are parsed.
    ///
    /// # Errors
    /// The [`ApiError`] of the last request.
    pub(crate) async fn page(
        &self,
        query: PageQuery,
        filter: ApiFilter,
    ) -> Result<ApiAnswer<String>, ApiError> {
        let (client, course) = (Arc::clone(&self.client), Arc::clone(&self.course));
        let page = async move { again(&course, || client.list_filtered(query, &filter)).await };
        in_own_task(page).await
    }

    /// Reads one event as JSON text; `None` when the API has no such event.
    ///
    /// # Errors
    /// The [`ApiError`] of the last request.
    pub(crate) async fn event(&self, id: &str) -> Result<Option<String>, ApiError> {
        let answer = again(&self.course, || self.client.event(id)).await?;
        Ok(answer.value.filter(|json| !json.trim_ascii().is_empty()))
    }

    /// Reads the event types that the vendor names.
    ///
    /// # Errors
    /// The [`ApiError`] of the last request.
    pub(crate) async fn types(&self) -> Result<Vec<EventType>, ApiError> {
        Ok(again(&self.course, || self.client.types()).await?.value)
    }
}

/// The pages of the events that match.
#[derive(Debug)]
pub(super) struct MatchingPages<'a> {
    client: &'a RetryingClient,
    filter: ApiFilter,
}

impl<'a> MatchingPages<'a> {
    pub(super) fn new(client: &'a RetryingClient, filter: ApiFilter) -> Self {
        Self { client, filter }
    }
}

impl PageSource for MatchingPages<'_> {
    async fn page(&self, query: PageQuery) -> Result<ApiAnswer<String>, ApiError> {
        self.client.page(query, self.filter.clone()).await
    }

    async fn wait_for_retry(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }

    /// The client itself sends a failed request again.
    fn max_retries(&self) -> u32 {
        0
    }
}

/// Sends a request until it succeeds, fails for good, or has failed too often. The person who
/// runs the command is told of a failure before the wait that follows it.
async fn again<T, F>(course: &Mutex<Course>, mut ask: impl FnMut() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
{
    let mut retries = 0;
    let mut waits = ExponentialBuilder::new()
        .with_min_delay(FIRST_RETRY)
        .with_max_times(MAX_RETRIES)
        .with_jitter()
        .build();
    loop {
        let error = match ask().await {
            Ok(value) => {
                lock(course).has_answered = true;
                return Ok(value);
            }
            Err(error) => error,
        };
        let most = lock(course).retries(&error);
        let wait = waits.next().filter(|_| retries < most);
        let Some(wait) = wait.and_then(|wait| wait_before_retry(&error, wait)) else {
            return Err(error);
        };
        let failure = Failure {
            error: &error,
            wait,
            retries: most - retries,
        };
        tell(course, &failure);
        tokio::time::sleep(wait).await;
        retries += 1;
    }
}

fn lock(course: &Mutex<Course>) -> MutexGuard<'_, Course> {
    course.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Course {
    /// Takes in a failure, and returns how often a request that fails so is sent again.
    fn retries(&mut self, error: &ApiError) -> usize {
        let is_answer = !matches!(
            error,
            ApiError::Transport { .. } | ApiError::Timeout | ApiError::NoFreeSlot
        );
        self.has_answered |= is_answer;
        match error.may_pass() {
            false => 0,
            true if self.has_answered => MAX_RETRIES,
            true => MAX_RETRIES_UNANSWERED,
        }
    }
}

/// Returns how long to wait before the next retry, at least as long as `wait`; `None` if the
/// API asks for a wait that is longer than [`LONGEST_RETRY_AFTER`].
fn wait_before_retry(error: &ApiError, wait: Duration) -> Option<Duration> {
    let wait = error.retry_after().unwrap_or_default().max(wait);
    (wait <= LONGEST_RETRY_AFTER).then_some(wait)
}

/// The failure of a request that is sent again.
struct Failure<'e> {
    error: &'e ApiError,
    wait: Duration,
    /// The highest number of times that the request is still sent.
    retries: usize,
}

impl fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            error,
            wait,
            retries,
        } = self;
        write!(f, "{error}\n  trying again")?;
        if *wait >= LONG_WAIT {
            write!(f, " in {} s", wait.as_secs())?;
        }
        write!(f, ", up to {retries} times")
    }
}

/// Tells the person who runs the command of a failure, unless one was told just now.
fn tell(course: &Mutex<Course>, failure: &Failure<'_>) {
    let (error, wait_seconds) = (failure.error, log_seconds(failure.wait));
    tracing::debug!(%error, wait_seconds, "a request failed and is sent again");
    let mut course = lock(course);
    if course.told.is_some_and(|told| told.elapsed() < QUIET) {
        return;
    }
    course.told = Some(Instant::now());
    drop(course);
    print_message(failure);
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, iter};

    use super::*;
    use crate::api::VendorMessage;

    fn limited(seconds: u64) -> ApiError {
        ApiError::RateLimited {
            retry_after: Some(Duration::from_secs(seconds)),
            message: VendorMessage::default(),
        }
    }

    fn status(status: u16) -> ApiError {
        ApiError::Status {
            status,
            retry_after: None,
            message: VendorMessage::default(),
        }
    }

    async fn asked(errors: Vec<ApiError>) -> (bool, usize, u64) {
        let begun = Instant::now();
        let left = RefCell::new(errors.into_iter());
        let times = RefCell::new(0);
        let course = Mutex::default();
        let outcome = again(&course, async || {
            *times.borrow_mut() += 1;
            left.borrow_mut().next().map_or(Ok(()), Err)
        });
        let succeeded = outcome.await.is_ok();
        (succeeded, times.into_inner(), begun.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_waited_for() {
        let (succeeded, times, _) = asked(vec![ApiError::Timeout, status(503)]).await;
        assert_eq!((succeeded, times), (true, 3));
        let never_there = (0..100).map(|_| ApiError::Timeout).collect();
        let (succeeded, times, _) = asked(never_there).await;
        assert_eq!((succeeded, times), (false, MAX_RETRIES_UNANSWERED + 1));
        let then_gone = (0..100).map(|_| ApiError::Timeout);
        let (_, times, _) = asked(iter::once(status(503)).chain(then_gone).collect()).await;
        assert_eq!(times, MAX_RETRIES + 1);
        let (succeeded, times, took) = asked(vec![limited(90)]).await;
        assert_eq!((succeeded, times, took), (true, 2, 90));
        let for_ever = (0..100).map(|_| status(500)).collect();
        let (succeeded, times, _) = asked(for_ever).await;
        assert_eq!((succeeded, times), (false, MAX_RETRIES + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_will_not_pass_is_told_at_once() {
        for error in [status(404), status(400), limited(3600)] {
            let (succeeded, times, took) = asked(vec![error]).await;
            assert_eq!((succeeded, times, took), (false, 1, 0));
        }
    }
}
