//! Time that passes only when a property says so, and the clocks of a process that live by it.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use jiff::Timestamp;
use nexmo_audit_exporter::poller::Clock;

/// 2026-11-20T00:00:00Z, at which simulated time begins.
const BEGINNING: i64 = 1_795_132_800;

/// Simulated time, and the tasks that wait for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimulatedTime(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// The time since the beginning.
    now: Duration,
    /// The tasks that wait, each with the time at which it is woken.
    sleepers: Vec<(Duration, Waker)>,
    /// A number that rises with everything that happens.
    activity: u64,
}

impl SimulatedTime {
    /// Returns the time since the beginning.
    pub(crate) fn now(&self) -> Duration {
        self.lock().now
    }

    /// Returns the time that a wall clock shows.
    pub(crate) fn wall_clock(&self) -> Timestamp {
        moment(self.now())
    }

    /// Records that something happens.
    pub(crate) fn act(&self) {
        self.lock().activity += 1;
    }

    /// Returns a number that has risen if anything has happened since the last call.
    pub(crate) fn activity(&self) -> u64 {
        self.lock().activity
    }

    /// Waits until the time is `at`.
    pub(crate) fn sleep_until(&self, at: Duration) -> impl Future<Output = ()> + Send + use<> {
        let time = self.clone();
        poll_fn(move |context| {
            let mut inner = time.lock();
            inner.activity += 1;
            if inner.now >= at {
                return Poll::Ready(());
            }
            inner.sleepers.push((at, context.waker().clone()));
            Poll::Pending
        })
    }

    /// Moves the time to the next moment at which a task is woken, but not beyond `limit`, and
    /// wakes the tasks that are due. Returns `true` if there were any.
    pub(crate) fn pass(&self, limit: Duration) -> bool {
        let mut inner = self.lock();
        let next = inner.sleepers.iter().map(|(at, _)| *at).min();
        let now = next.map_or(limit, |next| next.min(limit)).max(inner.now);
        inner.now = now;
        let due = inner.sleepers.extract_if(.., |(at, _)| *at <= now);
        let due: Vec<_> = due.map(|(_, waker)| waker).collect();
        drop(inner);
        let is_any = !due.is_empty();
        due.into_iter().for_each(Waker::wake);
        is_any
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what a wall clock shows this long after the beginning.
pub(crate) fn moment(since_beginning: Duration) -> Timestamp {
    let beginning = Timestamp::from_second(BEGINNING).expect("a time");
    beginning.saturating_add(since_beginning).expect("a time")
}

/// Returns the time since the beginning in whole seconds; negative before it.
pub(crate) fn second_of(moment: Timestamp) -> i64 {
    moment.as_second() - BEGINNING
}

/// The clocks of a process.
#[derive(Debug, Clone)]
pub(crate) struct ProcessClock {
    time: SimulatedTime,
    started: Duration,
}

impl ProcessClock {
    /// Returns the clocks of a process that starts now.
    pub(crate) fn of_new_process(time: &SimulatedTime) -> Self {
        Self {
            time: time.clone(),
            started: time.now(),
        }
    }
}

impl Clock for ProcessClock {
    fn local(&self) -> Timestamp {
        self.time.wall_clock()
    }

    fn uptime(&self) -> Duration {
        self.time.now().saturating_sub(self.started)
    }

    async fn sleep_until(&self, uptime: Duration) {
        self.time
            .sleep_until(self.started.saturating_add(uptime))
            .await;
    }
}
