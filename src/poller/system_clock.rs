//! The clocks of the machine that the exporter runs on.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Clock;

/// The clocks of the machine that the exporter runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Returns the clocks of a process that started at `started`.
    pub(crate) fn new(started: Instant) -> Self {
        Self { started }
    }
}

impl Clock for SystemClock {
    fn local(&self) -> Timestamp {
        Timestamp::now()
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    async fn sleep_until(&self, uptime: Duration) {
        match self.started.checked_add(uptime) {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}
