//! What the service manager is told, and when.
//!
//! The exporter is ready once it listens and its accounts are loaded: a unit that is ordered
//! after it can scrape. That does not wait for the API, whose outage must not delay a boot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::service_manager::ServiceManager;
use crate::{metrics::ProcessMetrics, server::Liveness};

/// The time between two looks at what the status line says.
const STATUS_INTERVAL: Duration = Duration::from_secs(5);

/// Tells the service manager how the exporter does.
#[derive(Debug)]
pub(super) struct Notifications {
    pub(super) manager: ServiceManager,
    pub(super) liveness: Liveness,
    pub(super) process: Arc<ProcessMetrics>,
    /// The time at which the process started.
    pub(super) started: Instant,
    /// `true` once the exporter is about to end; it is not ready again after that.
    pub(super) is_stopping: AtomicBool,
}

impl Notifications {
    /// Says that the start or a reload has ended.
    pub(super) fn ready(&self) {
        if !self.is_stopping() {
            self.manager.ready(&self.status());
        }
    }

    /// Says that a reload begins.
    pub(super) fn reloading(&self) {
        if !self.is_stopping() {
            self.manager.reloading();
        }
    }

    /// Says that the exporter ends, which may take so long.
    pub(super) fn stopping(&self, at_most: Duration) {
        self.is_stopping.store(true, Ordering::Relaxed);
        self.manager.stopping(at_most);
    }

    /// Gives the watchdog signs of life for as long as the exporter is alive, and renews the
    /// status line when it changes. Runs without end.
    pub(super) async fn run(&self) {
        if !self.manager.listens() {
            return;
        }
        tokio::join!(self.feed_watchdog(), self.renew_status());
    }

    async fn feed_watchdog(&self) {
        let Some(watchdog) = self.manager.watchdog() else {
            return;
        };
        let mut was_alive = true;
        let mut ticks = interval((watchdog / 2).max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let is_alive = self.liveness.is_alive(self.started.elapsed());
            if is_alive {
                self.manager.alive();
            } else if was_alive {
                tracing::error!(
                    "a poller has stalled, so the watchdog of the service manager gets no sign of life and restarts the exporter; please report this"
                );
            }
            was_alive = is_alive;
        }
    }

    async fn renew_status(&self) {
        let mut last = self.status();
        let mut ticks = interval(STATUS_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let status = self.status();
            if status != last && !self.is_stopping() {
                self.manager.status(&status);
                last = status;
            }
        }
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Returns how it goes, in one line.
    fn status(&self) -> String {
        let accounts = self.liveness.health.accounts();
        let failing = accounts.iter().map(|account| account.polls());
        let failing = failing.filter(|polls| polls.failing.is_some()).count();
        let counting = match accounts.len() {
            1 => "Counting 1 account".to_owned(),
            number => format!("Counting {number} accounts"),
        };
        let failing = match failing {
            0 => String::new(),
            number => format!("; polls of {number} fail, see the landing page"),
        };
        let reload = match self.process.failed_reload() {
            None => "",
            Some(_) => "; the last reload failed and changed nothing, see the log",
        };
        format!("{counting}{failing}{reload}")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::{
        metrics::{AccountMetrics, ProcessMetrics},
        poller::health::{AccountHealth, Health},
        store::DiskCall,
    };

    const WATCHDOG: Duration = Duration::from_secs(10);

    fn received(socket: &UnixDatagram) -> Vec<String> {
        let mut buffer = [0; 1024];
        let read = std::iter::from_fn(|| {
            socket
                .recv(&mut buffer)
                .ok()
                .map(|length| buffer[..length].to_vec())
        });
        read.map(|message| String::from_utf8(message).expect("text"))
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_gets_signs_of_life_until_a_poller_stalls() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_nonblocking(true).expect("a socket");
        let process = ProcessMetrics::new().expect("metrics");
        let metrics = Arc::new(AccountMetrics::new(&[], &process));
        let account = Arc::new(AccountHealth::new(None, metrics, Duration::ZERO));
        let health = Arc::new(Health::default());
        health.replace(vec![Arc::clone(&account)]);
        let notifications = Notifications {
            manager: ServiceManager::at(&path, WATCHDOG),
            liveness: Liveness {
                health,
                state: Arc::new(DiskCall::new(String::new())),
            },
            process: Arc::new(ProcessMetrics::new().expect("metrics")),
            started: Instant::now(),
            is_stopping: AtomicBool::new(false),
        };
        let notifications = Arc::new(notifications);
        let running = Arc::clone(&notifications);
        tokio::spawn(async move { running.run().await });
        let pass = async |seconds| {
            let until = Instant::now() + Duration::from_secs(seconds);
            tokio::time::sleep_until(until).await;
            received(&socket)
        };
        // A poller without a sign of life has stalled after a minute. The socket holds few
        // messages that nobody has read.
        assert_eq!(pass(29).await, vec!["WATCHDOG=1"; 6]);
        assert_eq!(pass(30).await, vec!["WATCHDOG=1"; 6]);
        assert_eq!(pass(5).await, ["WATCHDOG=1"]);
        assert!(pass(60).await.is_empty());
        account.expect_life(notifications.started.elapsed(), Duration::ZERO);
        assert!(!pass(10).await.is_empty());
    }
}
