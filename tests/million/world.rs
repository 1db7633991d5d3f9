//! The world that one exporter lives in: its time, its chances, its API and its
//! disk. Everything in it happens at an await, and any await may be the last.

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use fastrand::Rng;

use crate::{api::ListOfEvents, clock::Ms, disk::Disk, plan::Plan, tally::Tally};

/// The world of one exporter.
pub(crate) struct World {
    pub(crate) now: Ms,
    pub(crate) plan: Arc<Plan>,
    pub(crate) api: ListOfEvents,
    pub(crate) disk: Disk,
    pub(crate) chance: Rng,
    /// Nothing fails any more.
    pub(crate) is_calm: bool,
    /// When the process that runs was started.
    pub(crate) started: Ms,
    /// Where the process died that is still running.
    pub(crate) died: Option<&'static str>,
    /// The first claim that did not hold.
    pub(crate) broken: Option<String>,
    pub(crate) tally: Tally,
    /// What happened, if someone is to read it.
    pub(crate) trace: Option<Vec<String>>,
    alarms: Vec<(Ms, Waker)>,
}

impl World {
    pub(crate) fn new(plan: Arc<Plan>, traced: bool) -> Self {
        Self {
            now: 0,
            api: ListOfEvents::new(&plan),
            disk: Disk::default(),
            chance: Rng::with_seed(plan.seed ^ 0x5eed),
            is_calm: false,
            started: 0,
            died: None,
            broken: None,
            tally: Tally::default(),
            trace: traced.then(Vec::new),
            alarms: Vec::new(),
            plan,
        }
    }

    /// By the exporter's machine.
    pub(crate) fn local(&self) -> Ms {
        self.plan.local_clock.at(self.now)
    }

    /// By the API.
    pub(crate) fn api_time(&self) -> Ms {
        self.plan.api_clock.at(self.now)
    }

    /// Writes down what happens.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{now:>9} {}", what()));
        }
    }

    /// A claim does not hold.
    pub(crate) fn breach(&mut self, claim: String) {
        self.note(|| format!("BROKEN: {claim}"));
        self.broken.get_or_insert(claim);
    }

    pub(crate) fn happens(&mut self, chance: f64) -> bool {
        !self.is_calm && self.chance.f64() < chance
    }

    /// When the process has something to do.
    pub(crate) fn next_alarm(&self) -> Option<Ms> {
        self.alarms.iter().map(|(at, _)| *at).min()
    }

    /// Those whose time has come.
    pub(crate) fn take_alarms(&mut self) -> Vec<Waker> {
        let now = self.now;
        let (due, later) = self.alarms.drain(..).partition(|(at, _)| *at <= now);
        self.alarms = later;
        let due: Vec<(Ms, Waker)> = due;
        due.into_iter().map(|(_, waker)| waker).collect()
    }

    /// The process is gone, and all that it waited for.
    pub(crate) fn forget_alarms(&mut self) {
        self.alarms.clear();
    }
}

/// The world, as each part of it holds it.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sleep(&self, span: Ms) -> Sleep {
        let until = self.lock().now + span;
        self.sleep_until(until)
    }

    pub(crate) fn sleep_until(&self, until: Ms) -> Sleep {
        Sleep {
            world: self.clone(),
            until,
        }
    }

    /// A point where the process may die.
    pub(crate) async fn step(&self, place: &'static str) {
        if self.may_die(place) {
            pending::<()>().await;
        }
    }

    fn may_die(&self, place: &'static str) -> bool {
        let mut world = self.lock();
        let chance = world.plan.dies_at_step;
        let dies = world.happens(chance);
        if dies {
            world.died = Some(place);
        }
        dies
    }
}

/// Waits in the time of the world.
pub(crate) struct Sleep {
    world: Shared,
    until: Ms,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut world = self.world.lock();
        if world.now >= self.until {
            return Poll::Ready(());
        }
        world.alarms.push((self.until, context.waker().clone()));
        Poll::Pending
    }
}
