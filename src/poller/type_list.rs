//! Requests the vendor's list of event types from time to time.

use std::{mem, time::Duration};

use audit_core::event::EventType;
use jiff::Timestamp;

use super::{Api, instrumentation};
use crate::api::ApiError;

/// The time from one request that succeeds to the next; the vendor changes the list from
/// time to time.
const INTERVAL: Duration = Duration::from_hours(4);
/// The time from a request that fails to the next.
const RETRY: Duration = Duration::from_mins(5);

/// A request for the list that succeeded.
#[derive(Debug, Clone, Copy)]
pub(super) struct TypesReceived {
    /// The time of the API, from the `Date` header.
    pub(super) date: Option<Timestamp>,
}

/// The vendor's list of event types.
#[derive(Debug)]
pub(super) struct TypeList {
    /// The list that was received and not taken yet.
    received: Vec<EventType>,
    /// The uptime from which on the list is requested again.
    due: Duration,
    /// The error of the last request, until it is logged.
    unlogged: Option<ApiError>,
    /// `true` from a logged failure to the next success.
    is_failing: bool,
}

impl TypeList {
    pub(super) fn new() -> Self {
        Self {
            received: Vec::new(),
            due: Duration::ZERO,
            unlogged: None,
            is_failing: false,
        }
    }

    /// Returns the list that was received last, or an empty list if that was taken already:
    /// with ten thousand accounts, a second copy of each list takes a tenth of the memory.
    pub(super) fn take(&mut self) -> Vec<EventType> {
        mem::take(&mut self.received)
    }

    /// Requests the list if a request is due. Returns `None` if there is no new list.
    ///
    /// # Errors
    /// An [`ApiError`] that any other request would get too. Other errors are kept for
    /// [`TypeList::others_succeed`]: events can be counted from an API without the list.
    pub(super) async fn refresh(
        &mut self,
        api: &impl Api,
        uptime: Duration,
    ) -> Result<Option<TypesReceived>, ApiError> {
        if uptime < self.due || self.unlogged.is_some() {
            return Ok(None);
        }
        match api.types().await {
            Ok(answer) => {
                self.due = uptime.saturating_add(INTERVAL);
                self.is_failing = false;
                self.received = answer.value;
                Ok(Some(TypesReceived { date: answer.date }))
            }
            Err(error) if is_for_every_request(&error) => Err(error),
            Err(error) => {
                self.unlogged = Some(error);
                Ok(None)
            }
        }
    }

    /// Records that other requests succeed, and logs the failure of the last request for
    /// the list.
    pub(super) fn others_succeed(&mut self, uptime: Duration) {
        if let Some(error) = self.unlogged.take() {
            self.due = uptime.saturating_add(RETRY);
            let is_first = !mem::replace(&mut self.is_failing, true);
            let error = &error;
            instrumentation::TypesFailed { error, is_first }.record();
        }
    }
}

/// Returns `true` for a rejected secret and for a rate limit.
fn is_for_every_request(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Auth { status: 401, .. } | ApiError::RateLimited { .. }
    )
}
