//! When the process dies, and how it starts again.

use std::{sync::Arc, time::Duration};

use audit_core::gate::{Scrape, ScraperId};

use super::History;
use crate::{
    clock::{MINUTE, Ms, SECOND},
    known_clients::KnownClients,
    mutant::Mutant,
    plan::{CrashLoop, Crashes},
    process::{Process, uptime},
    world::World,
};

/// The first id of the clients under [`Mutant::NoStandstill`].
const FIRST_FALSE_CLIENT: u64 = 100_000;

/// The crashes that do not come at an await.
pub(super) struct CrashSchedule {
    /// The times of single crashes, the next one last.
    kills: Vec<Ms>,
    crash_loop: Option<CrashLoop>,
    /// The number of crashes in the crash loop so far.
    in_loop: u32,
    /// When the process that runs in the crash loop is killed.
    next_in_loop: Option<Ms>,
    /// When a copy of the disk is made.
    copy: Option<Ms>,
    /// When the disk is put back to the copy.
    put_back: Option<Ms>,
}

impl CrashSchedule {
    pub(super) fn new(plan: &Crashes) -> Self {
        let mut kills = plan.kills.clone();
        kills.sort_unstable_by_key(|at| -at);
        Self {
            kills,
            crash_loop: plan.crash_loop.clone(),
            in_loop: 0,
            next_in_loop: plan.crash_loop.as_ref().map(|crashes| crashes.during.start),
            copy: plan.backup.map(|(copied, _)| copied),
            put_back: plan.backup.map(|(_, put_back)| put_back),
        }
    }

    /// Returns when something happens next.
    pub(super) fn next(&self) -> Option<Ms> {
        let next = [
            self.kills.last().copied(),
            self.next_in_loop,
            self.copy,
            self.put_back,
        ];
        next.into_iter().flatten().min()
    }

    /// Returns `true` if the process is killed now.
    fn take_kill(&mut self, now: Ms) -> bool {
        let in_loop = self.next_in_loop.take_if(|at| *at <= now).is_some();
        self.kills.pop_if(|at| *at <= now).is_some() || in_loop
    }

    /// Returns how long the exporter is down after a crash in the crash loop; `None` for a
    /// crash at another time.
    fn down_in_loop(&mut self, now: Ms) -> Option<Ms> {
        let crash_loop = self.crash_loop.as_ref();
        let crash_loop = crash_loop.filter(|crash_loop| crash_loop.during.contains(&now))?;
        let down = crash_loop.down(self.in_loop);
        self.in_loop += 1;
        Some(down)
    }

    /// Plans the next kill of the crash loop for a process that starts now.
    fn start(&mut self, now: Ms, world: &mut World) {
        let crash_loop = self.crash_loop.as_ref();
        let crash_loop = crash_loop.filter(|crash_loop| crash_loop.during.contains(&now));
        self.next_in_loop = crash_loop.map(|crash_loop| {
            let uptime = crash_loop.uptime;
            now + world.rng.i64(uptime - uptime / 10..=uptime + uptime / 10)
        });
    }
}

impl History {
    pub(super) fn crash_if_due(&mut self, now: Ms) {
        if self.crashes.take_kill(now) {
            self.crash("at a random time");
        }
        if self.crashes.copy.take_if(|at| *at <= now).is_some() {
            self.shared.lock().copy_disk();
        }
        if self.crashes.put_back.take_if(|at| *at <= now).is_some() {
            self.put_back();
        }
    }

    pub(super) fn crash(&mut self, place: &str) {
        if self.process.take().is_none() {
            return;
        }
        let mut world = self.shared.lock();
        let now = world.now;
        let in_loop = self.crashes.down_in_loop(now);
        let down = in_loop.unwrap_or_else(|| {
            let longest = match world.rng.u8(0..40) {
                0 => 20 * MINUTE,
                1..10 => 4 * MINUTE,
                10..20 => MINUTE,
                _ => 3 * SECOND,
            };
            world.rng.i64(0..longest)
        });
        world.log(|| format!("dies {place}, for {down} ms"));
        world.tally.crashes += 1;
        world.tally.crashes_in_commit += u64::from(world.is_in_commit);
        world.tally.crashes_in_loop += u64::from(in_loop.is_some());
        drop(world);
        let was_replaced = self.last_call.take().is_some();
        self.end_process(now, down);
        if was_replaced {
            self.rename_target(now, false);
        }
    }

    /// Ends the process. The next one starts in `down`.
    pub(super) fn end_process(&mut self, now: Ms, down: Ms) {
        self.process = None;
        let mut world = self.shared.lock();
        world.end_process();
        world.liveness.disturb(now);
        drop(world);
        self.start = Some(now + down);
        self.outages.push((now, now + down));
        self.last_served = None;
        for scraper in &mut self.scrapers {
            scraper.disconnect();
        }
    }

    /// Kills the process, and puts the disk back to the copy that was made.
    fn put_back(&mut self) {
        if !self.shared.lock().has_copy() {
            return;
        }
        self.crash("while an older copy of the disk is put back");
        self.shared.lock().put_back_disk();
        for scraper in &mut self.scrapers {
            scraper.put_back();
        }
    }

    pub(super) fn start_process(&mut self, now: Ms) {
        self.start = None;
        let mut world = self.shared.lock();
        let down = self.outages.last().map_or(0, |(from, _)| now - from);
        world.liveness.start(down, now);
        self.crashes.start(now, &mut world);
        self.decided = Arc::new(world.disk.decided.clone());
        self.known = KnownClients::restored(world.disk.stored_gate(), now);
        drop(world);
        self.note_unknown();
        self.process = Some(Process::start(&self.shared, &self.metrics));
        self.record_false_scrapes();
        self.run_process();
    }

    /// Records scrapes that never happened, under [`Mutant::NoStandstill`]: one in each H of
    /// the uptime that the process believes to have, each by a client that never comes
    /// again later.
    fn record_false_scrapes(&self) {
        if self.plan.mutant != Some(Mutant::NoStandstill) {
            return;
        }
        let process = self.process.as_ref().expect("a process that runs");
        let up = uptime(&self.shared.lock());
        let second = Duration::from_secs(1);
        let gap = process.hold(up).saturating_sub(second).max(second);
        let times = (0..).map(|number| (number, gap * number));
        for (number, at) in times.take_while(|(_, at)| *at <= up) {
            let scrape = Scrape {
                scraper: ScraperId(FIRST_FALSE_CLIENT + u64::from(number)),
                product: 0,
                target: 0,
                connection: 0,
                timeout: Duration::ZERO,
            };
            // A client that comes once does not end a standstill.
            for _ in 0..2 {
                let _ = process.record(scrape, 0, at);
            }
        }
    }
}
