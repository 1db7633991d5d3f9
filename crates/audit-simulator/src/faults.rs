//! The faults of single requests, drawn from the seed and the number of the request.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::{self, Purpose};
use crate::settings::SimulatorSettings;

/// A fault of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Status 429, whose `Retry-After` takes another form each time.
    TooManyRequests(RetryAfter),
    /// A status 5xx.
    ServerError(u16),
    /// The body ends before its `Content-Length`.
    Cut,
    /// The connection is reset without an answer.
    Reset,
}

/// The form in which a 429 says when to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    Seconds,
    Date,
    Missing,
}

/// The shares of requests that fail, and the next form of each fault that has several forms.
pub(crate) struct FaultPlan {
    seed: u64,
    too_many_requests: f64,
    server_error: f64,
    cut: f64,
    reset: f64,
    too_many_turn: AtomicU64,
    error_turn: AtomicU64,
}

impl FaultPlan {
    pub(crate) fn new(settings: &SimulatorSettings) -> Self {
        Self {
            seed: settings.seed,
            too_many_requests: settings.fault_429,
            server_error: settings.fault_5xx,
            cut: settings.fault_cut,
            reset: settings.fault_reset,
            too_many_turn: AtomicU64::new(0),
            error_turn: AtomicU64::new(0),
        }
    }

    /// Returns the fault of request `number`, if it has one.
    pub(crate) fn draw(&self, number: u64) -> Option<Fault> {
        let limited = self.too_many_requests;
        let failed = limited + self.server_error;
        let cut = failed + self.cut;
        let reset = cut + self.reset;
        let draw = random::share(self.seed, Purpose::Fault, number);
        if draw < limited {
            let turn = self.too_many_turn.fetch_add(1, Ordering::Relaxed);
            Some(Fault::TooManyRequests(retry_after(turn)))
        } else if draw < failed {
            let turn = self.error_turn.fetch_add(1, Ordering::Relaxed);
            Some(Fault::ServerError(server_error(turn)))
        } else if draw < cut {
            Some(Fault::Cut)
        } else {
            (draw < reset).then_some(Fault::Reset)
        }
    }
}

fn retry_after(turn: u64) -> RetryAfter {
    match turn % 3 {
        0 => RetryAfter::Seconds,
        1 => RetryAfter::Date,
        _ => RetryAfter::Missing,
    }
}

fn server_error(turn: u64) -> u16 {
    match turn % 4 {
        0 => 500,
        1 => 502,
        2 => 503,
        _ => 504,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_kept() {
        let plan = FaultPlan::new(&SimulatorSettings {
            fault_429: 0.1,
            fault_5xx: 0.2,
            fault_cut: 0.3,
            fault_reset: 0.05,
            ..SimulatorSettings::default()
        });
        let mut seen = [0; 5];
        for number in 0..20_000 {
            seen[match plan.draw(number) {
                Some(Fault::TooManyRequests(_)) => 0,
                Some(Fault::ServerError(_)) => 1,
                Some(Fault::Cut) => 2,
                Some(Fault::Reset) => 3,
                None => 4,
            }] += 1;
        }
        for (count, expected) in seen.into_iter().zip([2000, 4000, 6000, 1000, 7000]) {
            assert!(
                (expected - 300..expected + 300).contains(&count),
                "{seen:?}"
            );
        }
    }

    #[test]
    fn a_share_of_one_is_always_and_of_none_never() {
        let always = FaultPlan::new(&SimulatorSettings {
            fault_cut: 1.0,
            ..SimulatorSettings::default()
        });
        let never = FaultPlan::new(&SimulatorSettings::default());
        for number in 0..1000 {
            assert_eq!(always.draw(number), Some(Fault::Cut));
            assert_eq!(never.draw(number), None);
        }
    }
}
