//! One process of the exporter: the poller, gate and exposition that ship, on the models of
//! the API, the disk and the clocks.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use audit_core::{
    gate::{Gate, Recorded, Scrape, ScraperId},
    outbox::Outbox,
};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use nexmo_audit_exporter::{
    exposition::{Encoding, Exposition, ExpositionSettings, Format, Variant},
    gate::{EndOfPublishing, SharedGate},
    metrics::{AccountMetrics, ProcessMetrics},
    poller::{Clock, Poller, PollerParts, PollerSettings, health::AccountHealth},
};

use crate::{
    api::WorldApi,
    clock::{MINUTE, Ms, timestamp},
    disk::{MAX_SERIES, StoredAccount},
    mutant::Mutant,
    plan::Plan,
    sample::{Reader, Sample},
    world::{Shared, World},
};

/// The uptime with which a process starts under [`Mutant::NoStandstill`].
const FALSE_UPTIME: Ms = 3 * MINUTE;
/// The format that the simulated servers ask for.
const TEXT: Variant = Variant::new(Format::Text, Encoding::Identity);

/// A running process.
pub(crate) struct Process {
    exposition: Arc<Exposition>,
    gate: Arc<SharedGate>,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// The end of publishing, once it has begun.
    end: Option<Pin<Box<dyn Future<Output = EndOfPublishing> + Send>>>,
    /// The proof that publishing has ended. What is shown stays.
    ended: Option<EndOfPublishing>,
    /// The last answer with counters that was read, and the generation in which they had
    /// last changed.
    read: Option<(u64, Answer)>,
}

/// The answer to a scrape.
#[derive(Clone)]
pub(crate) struct Answer {
    /// The counters; `None` if the answer does not even have their families.
    pub(crate) sample: Option<Arc<Sample>>,
    /// The number of a generation with these counters; 0 if the answer shows none.
    pub(crate) generation: u64,
}

impl Process {
    /// Starts a process from what is durable.
    pub(crate) fn start(shared: &Shared, metrics: &Arc<AccountMetrics>) -> Self {
        let (plan, stored, memory, seed) = {
            let mut world = shared.lock();
            world.started = world.now;
            if world.plan.mutant == Some(Mutant::NoStandstill) {
                world.false_uptime = FALSE_UPTIME;
            }
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
            work: Box::pin(Box::new(poller).run()),
            end: None,
            ended: None,
            read: None,
        }
    }

    /// Lets the process run until it waits.
    pub(crate) fn advance(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        if self.ended.is_none() {
            let _ = self.work.as_mut().poll(&mut context);
        }
    }

    /// Ends publishing and polling, as the exporter does before it ends. Returns `false`
    /// while a commit is under way.
    pub(crate) fn end_publishing(&mut self) -> bool {
        if self.ended.is_none() {
            let gate = Arc::clone(&self.gate);
            let end = self
                .end
                .get_or_insert_with(|| Box::pin(async move { gate.end_publishing().await }));
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(ended) = end.as_mut().poll(&mut context) {
                self.ended = Some(ended);
            }
        }
        self.ended.is_some()
    }

    /// Returns `true` until the end of publishing begins.
    pub(crate) fn is_publishing(&self) -> bool {
        self.end.is_none()
    }

    /// Tells the gate that a client is about to be answered. Returns `false` if the client
    /// has to be stored first.
    pub(crate) fn announce(&self, id: ScraperId, uptime: Duration) -> bool {
        self.gate.announce(id, uptime)
    }

    /// Returns the answer to `id`, or to a client that the gate does not know. As long as the
    /// counters do not change, they are read once, since the rest of an answer takes long to
    /// render.
    pub(crate) fn answer(
        &mut self,
        id: Option<ScraperId>,
        uptime: Duration,
        reader: &mut Reader,
    ) -> Answer {
        let may_show = id.is_none_or(|id| self.gate.may_show(id));
        let changed = self.exposition.last_changed();
        if let Some((number, answer)) = &self.read
            && may_show
            && *number == changed
        {
            return answer.clone();
        }
        let answer = self.exposition.scrape(id, TEXT, uptime);
        let answer = answer.expect("an exposition");
        let text = answer.parts.concat();
        let answer = Answer {
            sample: reader.read(std::str::from_utf8(&text).expect("UTF-8")),
            generation: answer.generation,
        };
        if may_show {
            self.read = Some((changed, answer.clone()));
        }
        answer
    }

    /// Records a scrape once its answer was sent.
    pub(crate) fn record(&self, scrape: Scrape, generation: u64, uptime: Duration) -> Recorded {
        self.gate.record_scrape(scrape, generation, uptime)
    }

    /// Returns the number of servers that were not served what is shown.
    pub(crate) fn not_served(&self, uptime: Duration) -> usize {
        match self.exposition.last_changed() {
            // Nothing is shown.
            0 => 0,
            generation => self.gate.not_served(generation, uptime).len(),
        }
    }

    pub(crate) fn hold(&self, uptime: Duration) -> Duration {
        self.gate.hold(uptime)
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
        few_events: polls.few_events,
        taken_up: Duration::ZERO,
        first_poll_in: Duration::ZERO,
    }
}

fn span(milliseconds: Ms) -> Duration {
    Duration::from_millis(milliseconds.unsigned_abs())
}

/// Returns the uptime of the process, as the process knows it.
pub(crate) fn uptime(world: &World) -> Duration {
    span(world.now - world.started + world.false_uptime)
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
            world.started + until - world.false_uptime
        };
        let due = world.sleep_until(until);
        async {
            crash_point.await;
            due.await;
        }
    }
}
