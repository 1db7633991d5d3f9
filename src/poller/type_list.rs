//! The vendor's list of event types, asked for now and then.

use std::time::Duration;

use audit_core::event::EventType;
use jiff::Timestamp;

use super::{Api, instrumentation};
use crate::api::ApiError;

/// How often the list is asked for: the vendor changes it from time to time.
const INTERVAL: Duration = Duration::from_hours(4);
/// How soon it is asked for again where that failed.
const RETRY: Duration = Duration::from_mins(5);

/// The list was had.
#[derive(Debug, Clone, Copy)]
pub(super) struct TypesReceived {
    /// What time the API has, if it said so.
    pub(super) date: Option<Timestamp>,
}

/// The vendor's list of event types.
#[derive(Debug)]
pub(super) struct TypeList {
    named: Vec<EventType>,
    /// The uptime at which the list is asked for next.
    due: Duration,
    /// Why the last request failed, until that is told.
    failed: Option<ApiError>,
    /// The log was told.
    failing: bool,
}

impl TypeList {
    pub(super) fn new() -> Self {
        Self {
            named: Vec::new(),
            due: Duration::ZERO,
            failed: None,
            failing: false,
        }
    }

    pub(super) fn named(&self) -> Vec<EventType> {
        self.named.clone()
    }

    /// Asks for the list when that is due; says whether there is a new one.
    ///
    /// An API without such a list is an API all the same: a failure is told once
    /// it is known that this request alone is in trouble.
    pub(super) async fn refresh(
        &mut self,
        api: &impl Api,
        uptime: Duration,
    ) -> Result<Option<TypesReceived>, ApiError> {
        if uptime < self.due || self.failed.is_some() {
            return Ok(None);
        }
        match api.types().await {
            Ok(answer) => {
                self.due = uptime.saturating_add(INTERVAL);
                self.failing = false;
                self.named = answer.value;
                Ok(Some(TypesReceived { date: answer.date }))
            }
            Err(error) if is_for_every_request(&error) => Err(error),
            Err(error) => {
                self.failed = Some(error);
                Ok(None)
            }
        }
    }

    /// Other requests succeed, so that a failure is one of this list alone.
    pub(super) fn others_succeed(&mut self, uptime: Duration) {
        if let Some(error) = self.failed.take() {
            self.due = uptime.saturating_add(RETRY);
            let changed = !std::mem::replace(&mut self.failing, true);
            let error = &error;
            instrumentation::TypesFailed { error, changed }.record();
        }
    }
}

/// A rejected secret and a limit hold for whatever is asked next.
fn is_for_every_request(error: &ApiError) -> bool {
    matches!(
        error,
        ApiError::Auth { status: 401, .. } | ApiError::RateLimited { .. }
    )
}
