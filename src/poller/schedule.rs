//! Decides when the next poll is due. This module reads no clock, and its random numbers
//! come from a generator that can be seeded.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use fastrand::Rng;

use super::collector::PollError;
use crate::api::ApiError;

/// The wait after the first failure, before jitter, unless the poll interval is shorter.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest wait between two polls that fail, before jitter, unless the poll
/// interval is longer.
const LONGEST_RETRY: Duration = Duration::from_mins(1);
/// The wait after a rejected key or secret, before jitter: the vendor may lock out an
/// account that tries too often.
const REJECTED_RETRY: Duration = Duration::from_mins(5);
/// The longest `Retry-After` that is obeyed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// Decides when the next poll is due.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    backoff: ExponentialBackoff,
    rng: Rng,
}

impl Schedule {
    pub(super) fn new(interval: Duration, rng: Rng) -> Self {
        let mut schedule = Self {
            interval,
            backoff: ExponentialBuilder::new().build(),
            rng,
        };
        schedule.reset();
        schedule
    }

    /// Returns the wait after a poll that succeeded and lasted `took`. Polls begin one
    /// interval apart, give or take 5 %, so that many exporters do not poll in step.
    pub(super) fn after_success(&mut self, took: Duration) -> Duration {
        self.reset();
        self.interval
            .mul_f64(0.95 + 0.1 * self.rng.f64())
            .saturating_sub(took)
    }

    /// Returns the wait after a poll that failed.
    pub(super) fn after_failure(&mut self, error: &PollError) -> Duration {
        let exponential = self.backoff.next().unwrap_or(LONGEST_RETRY);
        let PollError::Api(error) = error else {
            return exponential;
        };
        if let ApiError::Auth { .. } = error {
            return REJECTED_RETRY.mul_f64(1.0 + 0.2 * self.rng.f64());
        }
        match error.retry_after() {
            // Jitter keeps exporters that got the same Retry-After from polling in step.
            // The back-off is the minimum: an API that always answers 0 gets no storm of
            // requests.
            Some(asked) => (asked.min(LONGEST_RETRY_AFTER) + FIRST_RETRY.mul_f64(self.rng.f64()))
                .max(exponential),
            None => exponential,
        }
    }

    fn reset(&mut self) {
        self.backoff = ExponentialBuilder::new()
            .with_min_delay(FIRST_RETRY.min(self.interval))
            .with_max_delay(LONGEST_RETRY.max(self.interval))
            .without_max_times()
            .with_jitter()
            .with_jitter_seed(self.rng.u64(..))
            .build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::VendorMessage;

    fn schedule(interval: u64) -> Schedule {
        Schedule::new(Duration::from_secs(interval), Rng::with_seed(7))
    }

    fn within(wait: Duration, seconds: std::ops::RangeInclusive<f64>) {
        assert!(
            seconds.contains(&wait.as_secs_f64()),
            "{wait:?} is not in {seconds:?}"
        );
    }

    #[test]
    fn polls_begin_an_interval_apart_with_jitter() {
        let mut schedule = schedule(30);
        let waits: Vec<_> = (0..100)
            .map(|_| schedule.after_success(Duration::from_secs(2)))
            .collect();
        for wait in &waits {
            within(*wait, 26.5..=29.5);
        }
        assert!(waits.iter().any(|wait| wait != &waits[0]));
        assert_eq!(
            schedule.after_success(Duration::from_secs(100)),
            Duration::ZERO
        );
    }

    #[test]
    fn waits_grow_until_a_poll_succeeds() {
        let mut schedule = schedule(30);
        for expected in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0] {
            within(
                schedule.after_failure(&ApiError::Timeout.into()),
                expected..=2.0 * expected,
            );
        }
        schedule.after_success(Duration::ZERO);
        within(schedule.after_failure(&ApiError::Timeout.into()), 1.0..=2.0);
    }

    #[test]
    fn a_rejected_key_is_tried_again_slowly() {
        let mut schedule = schedule(1);
        let rejected = PollError::Api(ApiError::Auth {
            status: 401,
            message: VendorMessage::default(),
            origins: String::new(),
        });
        for _ in 0..100 {
            within(schedule.after_failure(&rejected), 300.0..=360.0);
        }
    }

    #[test]
    fn retry_after_is_obeyed_up_to_an_hour() {
        let limited = |seconds| {
            PollError::Api(ApiError::RateLimited {
                retry_after: Some(Duration::from_secs(seconds)),
                message: VendorMessage::default(),
            })
        };
        let mut schedule = schedule(30);
        within(schedule.after_failure(&limited(0)), 1.0..=2.0);
        within(schedule.after_failure(&limited(0)), 2.0..=4.0);
        within(schedule.after_failure(&limited(90)), 90.0..=91.0);
        within(schedule.after_failure(&limited(u64::MAX)), 3600.0..=3601.0);
    }
}
