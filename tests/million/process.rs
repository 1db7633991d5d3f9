//! One process of the exporter: the poller, gate and exposition that ship, on the models of
//! the API, the disk and the clocks.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use audit_core::{gate::Gate, outbox::Outbox};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use nexmo_audit_exporter::{
    exposition::{Exposition, ExpositionSettings},
    gate::SharedGate,
    metrics::{AccountMetrics, ProcessMetrics},
    poller::{Clock, Poller, PollerParts, PollerSettings, health::AccountHealth},
};

use crate::{
    api::WorldApi,
    clock::{MINUTE, Ms, timestamp},
    disk::{MAX_SERIES, StoredAccount},
    mutant::Mutant,
    plan::Plan,
    world::{Shared, World},
};

/// The uptime with which a process starts under [`Mutant::NoStandstill`].
const FALSE_UPTIME: Ms = 3 * MINUTE;

/// A running process.
pub(crate) struct Process {
    pub(crate) exposition: Arc<Exposition>,
    pub(crate) gate: Arc<SharedGate>,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Process {
    /// Starts a process from what is durable.
    pub(crate) fn start(shared: &Shared, metrics: &Arc<AccountMetrics>) -> Self {
        let (plan, stored, memory, seed) = {
            let mut world = shared.lock();
            world.started = world.now;
            world.log(|| "starts".into());
            let plan = Arc::clone(&world.plan);
            let stored = world.disk.account(&plan);
            let seed = world.rng.u64(..);
            (plan, stored, world.disk.gate(&world), seed)
        };
        let gate = Gate::new(plan.polls.scrape_interval, &memory);
        let gate = Arc::new(SharedGate::new(gate));
        let exposition = Arc::new(Exposition::new(
            Arc::new(ProcessMetrics::new().expect("a registry")),
            Arc::clone(&gate),
            ExpositionSettings::default(),
        ));
        let clock = WorldClock(shared.clone());
        let health = AccountHealth::new(None, Arc::clone(metrics), clock.uptime());
        let parts = PollerParts {
            api: Arc::new(WorldApi(shared.clone())),
            storage: StoredAccount(shared.clone()),
            metrics: Arc::clone(metrics),
            exposition: exposition.add(None, Arc::clone(metrics)),
            gate: Arc::clone(&gate),
            health: Arc::new(health),
            outbox: Outbox::default(),
            filter: audit_core::event::TypeFilter::default(),
            rng: Rng::with_seed(seed),
            clock,
        };
        let poller = Poller::new(settings(&plan), parts, stored);
        Self {
            exposition,
            gate,
            work: Box::pin(poller.run()),
        }
    }

    /// Lets the process run until it waits.
    pub(crate) fn advance(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let _ = self.work.as_mut().poll(&mut context);
    }
}

fn settings(plan: &Plan) -> PollerSettings {
    let polls = &plan.polls;
    let (depth, deep_sweep_interval) = polls.deep.unwrap_or_default();
    PollerSettings {
        interval: span(polls.interval),
        window: plan.window(),
        deep_sweep_interval: span(deep_sweep_interval),
        deep_sweep_lookback: SignedDuration::from_millis(depth),
        start: polls.start,
        max_series: MAX_SERIES,
        first_poll_in: Duration::ZERO,
    }
}

fn span(milliseconds: Ms) -> Duration {
    Duration::from_millis(milliseconds.unsigned_abs())
}

/// Returns how much longer than in fact the process seems to have been up.
fn false_uptime(world: &World) -> Ms {
    match world.plan.mutant {
        Some(Mutant::NoStandstill) => FALSE_UPTIME,
        _ => 0,
    }
}

/// Returns the uptime of the process, as the process knows it.
pub(crate) fn uptime(world: &World) -> Duration {
    span(world.now - world.started + false_uptime(world))
}

#[derive(Clone)]
struct WorldClock(Shared);

impl Clock for WorldClock {
    fn local(&self) -> Timestamp {
        timestamp(self.0.lock().local())
    }

    fn uptime(&self) -> Duration {
        uptime(&self.0.lock())
    }

    fn sleep_until(&self, until: Duration) -> impl Future<Output = ()> + Send {
        let Self(world) = self;
        let crash_point = world.crash_point("before a wait");
        let until = {
            let world = world.lock();
            // Rounded up, since the time of the world moves by whole milliseconds and a sleep
            // that ends too early would be repeated for ever.
            let until = until.as_nanos().div_ceil(1_000_000);
            let until = Ms::try_from(until).unwrap_or(Ms::MAX / 2);
            world.started + until - false_uptime(&world)
        };
        let due = world.sleep_until(until);
        async {
            crash_point.await;
            due.await;
        }
    }
}
