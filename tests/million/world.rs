//! The simulated world of one exporter: its time, its random numbers, its API and its disk.
//! Everything in it happens at an await, and at any await the process may die.

use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use fastrand::Rng;

use crate::{api::EventList, clock::Ms, disk::Disk, liveness::Liveness, plan::Plan, tally::Tally};

/// The simulated world of one exporter.
pub(crate) struct World {
    pub(crate) now: Ms,
    pub(crate) plan: Arc<Plan>,
    pub(crate) api: EventList,
    pub(crate) disk: Disk,
    /// An older copy of the disk.
    copy: Option<Disk>,
    pub(crate) rng: Rng,
    /// `true` once no more faults happen.
    pub(crate) is_calm: bool,
    /// When the running process was started.
    pub(crate) started: Ms,
    /// How much longer than in fact the process seems to have been up, under some mutants.
    pub(crate) false_uptime: Ms,
    /// `true` while a commit is under way.
    pub(crate) is_in_commit: bool,
    /// `true` if a commit has shown a higher value of any counter since this was last asked.
    pub(crate) has_stepped: bool,
    pub(crate) liveness: Liveness,
    /// The place where the process has died, until the history takes notice.
    pub(crate) died: Option<&'static str>,
    /// The first claim that did not hold.
    pub(crate) broken: Option<String>,
    pub(crate) tally: Tally,
    /// The events of the history so far, if they are to be printed.
    pub(crate) trace: Option<Vec<String>>,
    /// The times at which sleeping tasks of the process are to be woken.
    timers: Vec<(Ms, Waker)>,
}

impl World {
    pub(crate) fn new(plan: Arc<Plan>, traced: bool) -> Self {
        Self {
            now: 0,
            api: EventList::new(&plan),
            disk: Disk::default(),
            copy: None,
            rng: Rng::with_seed(plan.seed ^ 0x5eed),
            is_calm: false,
            started: 0,
            false_uptime: 0,
            is_in_commit: false,
            has_stepped: false,
            liveness: Liveness::new(&plan),
            died: None,
            broken: None,
            tally: Tally::default(),
            trace: traced.then(Vec::new),
            timers: Vec::new(),
            plan,
        }
    }

    /// Moves the time to `now`.
    pub(crate) fn advance(&mut self, now: Ms) {
        let jumps = self.plan.local_clock.jumps.iter();
        let jumps = jumps.filter(|(at, _)| (self.now + 1..=now).contains(at));
        for _ in 0..jumps.count() {
            self.liveness.clock_jumps();
        }
        self.now = now;
        self.is_calm = now >= self.plan.span;
    }

    /// Makes a copy of the disk, once the account has begun to count.
    pub(crate) fn copy_disk(&mut self) {
        if self.disk.is_whole() {
            self.log(|| "the disk is copied".into());
            self.copy = Some(self.disk.clone());
        }
    }

    pub(crate) fn has_copy(&self) -> bool {
        self.copy.is_some()
    }

    /// Puts the disk back to the copy. No process may run.
    pub(crate) fn put_back_disk(&mut self) {
        if let Some(copy) = self.copy.take() {
            self.log(|| "the copy of the disk is put back".into());
            self.disk = copy;
            self.liveness.reset();
            self.tally.backups += 1;
        }
    }

    /// Returns the time of the exporter's machine.
    pub(crate) fn local(&self) -> Ms {
        self.plan.local_clock.at(self.now)
    }

    /// Returns the time of the API.
    pub(crate) fn api_time(&self) -> Ms {
        self.plan.api_clock.at(self.now)
    }

    /// Adds a line to the trace.
    pub(crate) fn log(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{now:>9} {}", what()));
        }
    }

    /// Records that a claim does not hold.
    pub(crate) fn report_broken(&mut self, claim: String) {
        self.log(|| format!("BROKEN: {claim}"));
        self.broken.get_or_insert(claim);
    }

    /// Draws whether a fault of this chance happens.
    pub(crate) fn happens(&mut self, chance: f64) -> bool {
        !self.is_calm && self.rng.f64() < chance
    }

    /// Returns the time of the earliest timer.
    pub(crate) fn next_timer(&self) -> Option<Ms> {
        self.timers.iter().map(|(at, _)| *at).min()
    }

    /// Removes and returns the timers that are due.
    pub(crate) fn take_due_timers(&mut self) -> Vec<Waker> {
        let now = self.now;
        let (due, later) = self.timers.drain(..).partition(|(at, _)| *at <= now);
        self.timers = later;
        let due: Vec<(Ms, Waker)> = due;
        due.into_iter().map(|(_, waker)| waker).collect()
    }

    /// Forgets what the process was doing, since it has died.
    pub(crate) fn end_process(&mut self) {
        self.timers.clear();
        self.is_in_commit = false;
        self.false_uptime = 0;
        self.disk.crash();
    }
}

/// A handle of the world, which all its parts share.
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

    /// A point at which the process may die. The future never ends if it does. That is drawn
    /// here and not when the future is polled, since `tokio::select!` polls its branches in
    /// random order.
    pub(crate) fn crash_point(&self, place: &'static str) -> impl Future<Output = ()> + use<> {
        let crashes = self.crashes(place);
        async move {
            if crashes {
                pending::<()>().await;
            }
        }
    }

    fn crashes(&self, place: &'static str) -> bool {
        let mut world = self.lock();
        let crashes = &world.plan.crashes;
        let (from, chance) = (crashes.from, crashes.chance);
        let dies = world.now >= from && world.happens(chance);
        if dies {
            world.died = Some(place);
        }
        dies
    }
}

/// A sleep in the time of the world.
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
        world.timers.push((self.until, context.waker().clone()));
        Poll::Pending
    }
}
