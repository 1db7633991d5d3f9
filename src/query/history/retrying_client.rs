//! A client of the API that sends a failed request again, where that may help.

use std::{future::Future, sync::Arc, time::Duration};

use audit_core::event::EventType;
use backon::{ExponentialBuilder, Retryable};

use crate::{
    api::{
        ApiAnswer, ApiClient, ApiError, ApiFilter, PageQuery,
        paging::{PageSource, in_own_task},
    },
    metrics::log_seconds,
};

/// The highest number of times that a failed request is sent again.
const MAX_RETRIES: usize = 6;
/// The wait before the first retry; each further wait is twice as long.
const FIRST_RETRY: Duration = Duration::from_millis(500);
/// The longest wait that the API may ask for: a person waits for the command.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(5);
/// A retry after a longer wait is logged as a warning.
const LONG_WAIT: Duration = Duration::from_secs(15);

/// A client of the API that sends a failed request again, where that may help.
#[derive(Debug, Clone)]
pub(crate) struct RetryingClient {
    client: Arc<ApiClient>,
}

impl RetryingClient {
    /// Returns a client that sends its requests through `client`.
    pub(crate) fn new(client: ApiClient) -> Self {
        Self {
            client: Arc::new(client),
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
        let client = Arc::clone(&self.client);
        in_own_task(async move { again(|| client.list_filtered(query, &filter)).await }).await
    }

    /// Reads one event as JSON text; `None` when the API has no such event.
    ///
    /// # Errors
    /// The [`ApiError`] of the last request.
    pub(crate) async fn event(&self, id: &str) -> Result<Option<String>, ApiError> {
        let answer = again(|| self.client.event(id)).await?;
        Ok(answer.value.filter(|json| !json.trim_ascii().is_empty()))
    }

    /// Reads the event types that the vendor names.
    ///
    /// # Errors
    /// The [`ApiError`] of the last request.
    pub(crate) async fn types(&self) -> Result<Vec<EventType>, ApiError> {
        Ok(again(|| self.client.types()).await?.value)
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

/// Sends a request until it succeeds, fails for good, or has failed too often.
async fn again<T, F>(ask: impl FnMut() -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>>,
{
    let waits = ExponentialBuilder::new()
        .with_min_delay(FIRST_RETRY)
        .with_max_times(MAX_RETRIES)
        .with_jitter();
    ask.retry(waits)
        .sleep(tokio::time::sleep)
        .when(ApiError::may_pass)
        .adjust(obey_retry_after)
        .notify(log_retry)
        .await
}

/// Returns how long to wait before the next retry; `None` if the API asks for a wait that
/// is longer than [`LONGEST_RETRY_AFTER`].
fn obey_retry_after(error: &ApiError, wait: Option<Duration>) -> Option<Duration> {
    let wait = error.retry_after().unwrap_or_default().max(wait?);
    (wait <= LONGEST_RETRY_AFTER).then_some(wait)
}

fn log_retry(error: &ApiError, wait: Duration) {
    let wait_seconds = log_seconds(wait);
    if wait > LONG_WAIT {
        tracing::warn!(%error, wait_seconds, "a request failed and is sent again");
    } else {
        tracing::debug!(%error, wait_seconds, "a request failed and is sent again");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::Instant;

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
        let outcome = again(async || {
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
