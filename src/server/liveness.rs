//! Judges whether the process works, for `/-/healthy` and for the watchdog of systemd.

use std::{sync::Arc, time::Duration};

use crate::{poller::health::Health, store::DiskCall};

/// Judges whether the process works, or a restart would help.
#[derive(Debug, Clone)]
pub(crate) struct Liveness {
    pub(crate) health: Arc<Health>,
    /// The call by which the store waits for the disk.
    pub(crate) state: Arc<DiskCall>,
}

impl Liveness {
    /// Returns `true` unless a poller has stalled. An outage of the API stalls no poller. While
    /// the disk of the state hangs, pollers may wait for it, also longer than a minute, and a
    /// restart would wait for the same disk.
    pub(crate) fn is_alive(&self, uptime: Duration) -> bool {
        self.health.stalled(uptime) == 0 || self.state.hangs_for().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::{AccountMetrics, ProcessMetrics},
        poller::health::AccountHealth,
    };

    #[test]
    fn a_poller_that_stalls_is_a_defect_unless_the_disk_hangs() {
        let process = ProcessMetrics::new().expect("metrics");
        let metrics = Arc::new(AccountMetrics::new(&[], &process));
        let account = AccountHealth::new(None, metrics, Duration::ZERO);
        let health = Arc::new(Health::default());
        health.replace(vec![Arc::new(account)]);
        let with = |state| Liveness {
            health: Arc::clone(&health),
            state: Arc::new(state),
        };
        let (answers, hangs) = (DiskCall::new(String::new()), DiskCall::hanging());
        let late = Duration::from_secs(61);
        assert!(with(answers).is_alive(Duration::from_mins(1)));
        assert!(!with(DiskCall::new(String::new())).is_alive(late));
        assert!(with(hangs).is_alive(late));
    }
}
