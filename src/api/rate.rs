//! The cap on requests per second.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

type Limiter = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<std::time::Instant>>;

/// A cap on requests per second, which spreads requests evenly. At most the requests of a
/// tenth of a second are sent at once, or a single request if that is more.
#[derive(Debug)]
pub(super) struct RateCap(Limiter);

/// The clock of tokio, which tests can pause.
#[derive(Debug, Clone, Copy)]
struct TokioClock;

impl Clock for TokioClock {
    type Instant = std::time::Instant;

    fn now(&self) -> Self::Instant {
        Instant::now().into_std()
    }
}

impl RateCap {
    /// Returns a cap of `rate` requests per second, and of at least one request in 1,000
    /// seconds.
    pub(super) fn per_second(rate: f64) -> Self {
        let period = Duration::from_secs_f64(1.0 / rate.max(0.001)).max(Duration::from_nanos(1));
        let burst = (Duration::from_millis(100).as_nanos() / period.as_nanos()).max(1);
        let burst = u32::try_from(burst)
            .ok()
            .and_then(NonZeroU32::new)
            .unwrap_or(NonZeroU32::MAX);
        let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN));
        Self(RateLimiter::direct_with_clock(
            quota.allow_burst(burst),
            TokioClock,
        ))
    }

    /// Waits until the next request may be sent.
    pub(super) async fn wait(&self) {
        while let Err(early) = self.0.check() {
            tokio::time::sleep(early.wait_time_from(TokioClock.now())).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds_for(rate: f64, requests: u32) -> f64 {
        let begun = Instant::now();
        let cap = RateCap::per_second(rate);
        for _ in 0..requests {
            cap.wait().await;
        }
        begun.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_keep_to_the_rate() {
        for (rate, requests, expected) in [
            (10.0, 1, 0.0),
            (10.0, 101, 10.0),
            (0.5, 4, 6.0),
            (1000.0, 2100, 2.0),
        ] {
            let took = seconds_for(rate, requests).await;
            assert!(
                (took - expected).abs() < 0.2,
                "{requests} at {rate}: {took} s"
            );
        }
    }
}
