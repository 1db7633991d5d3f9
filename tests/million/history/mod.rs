//! One history: processes start and die, servers scrape, and at the end every server must
//! have seen what the API has recorded.

mod crashes;
mod end;
mod replacement;
mod scrapes;

use std::sync::Arc;

use nexmo_audit_exporter::metrics::AccountMetrics;

use crate::{
    clock::{MINUTE, Ms, SECOND},
    known_clients::KnownClients,
    liveness::Circumstances,
    plan::{Plan, Replacement, hold},
    process::Process,
    sample::{Reader, Sample},
    scraper::{Scraper, Standstill},
    tally::Tally,
    world::{Shared, World},
};
use crashes::CrashSchedule;
use replacement::LastCall;

/// How long the world may be calm before events that are still missing count as lost. A
/// poller whose credentials were rejected pauses for 5 minutes, and a server that is away is
/// waited for 10 minutes, and again after a restart.
const LONGEST_CALM: Ms = 90 * MINUTE;
/// The interval of the checks whether the history has ended.
const CHECK_INTERVAL: Ms = 5 * SECOND;

/// The outcome of a history.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) broken: Option<String>,
    pub(crate) trace: Vec<String>,
}

/// Runs one history to its end, or to the first claim that does not hold.
pub(crate) fn run(plan: Plan, metrics: &Arc<AccountMetrics>, traced: bool) -> Outcome {
    let mut history = History::new(plan, metrics, traced);
    while !history.has_ended() {
        history.advance();
    }
    history.outcome()
}

struct History {
    shared: Shared,
    plan: Arc<Plan>,
    metrics: Arc<AccountMetrics>,
    process: Option<Process>,
    /// When the next process starts.
    start: Option<Ms>,
    crashes: CrashSchedule,
    /// The last call of the running process, if it is being replaced.
    last_call: Option<LastCall>,
    /// The replacements of the process that are yet to come, the next one last.
    replacements: Vec<Replacement>,
    scrapers: Vec<Scraper>,
    /// The requests of strangers that are yet to come, the next one last: when, and the
    /// number of the stranger.
    strangers: Vec<(Ms, usize)>,
    /// What the running process can know of its clients.
    known: KnownClients,
    reader: Reader,
    /// When the exporter was down.
    outages: Vec<(Ms, Ms)>,
    /// The last scrape, by any client, that this process answered.
    last_served: Option<Ms>,
    /// The last answer that any server got.
    last_answer: Option<Ms>,
    standstill: Option<Standstill>,
    /// Everything that was decided to be shown before the process was started, or before
    /// the time came from which on no client has been answered for the longest H.
    decided: Arc<Sample>,
    next_check: Ms,
    is_done: bool,
}

impl History {
    fn new(plan: Plan, metrics: &Arc<AccountMetrics>, traced: bool) -> Self {
        let plan = Arc::new(plan);
        let shared = Shared::new(World::new(Arc::clone(&plan), traced));
        let numbered = plan.scrapers.iter().cloned().zip(1..);
        let scrapers = numbered.map(|(plan, number)| Scraper::new(plan, number));
        let strangers = plan.strangers.iter().enumerate();
        let mut strangers: Vec<(Ms, usize)> = strangers
            .flat_map(|(number, stranger)| stranger.requests.iter().map(move |at| (*at, number)))
            .collect();
        strangers.sort_unstable_by_key(|(at, _)| -at);
        let mut replacements = plan.crashes.replacements.clone();
        replacements.sort_unstable_by_key(|replacement| -replacement.at);
        Self {
            shared,
            metrics: Arc::clone(metrics),
            process: None,
            start: Some(0),
            crashes: CrashSchedule::new(&plan.crashes),
            last_call: None,
            replacements,
            scrapers: scrapers.collect(),
            strangers,
            known: KnownClients::default(),
            reader: Reader::default(),
            outages: Vec::new(),
            last_served: None,
            last_answer: None,
            standstill: None,
            decided: Arc::default(),
            next_check: plan.span,
            is_done: false,
            plan,
        }
    }

    fn has_ended(&self) -> bool {
        self.is_done || self.shared.lock().broken.is_some()
    }

    /// Advances to the next time at which something happens.
    fn advance(&mut self) {
        let now = self.next_time();
        self.note_silence(now);
        let due = self.advance_time(now);
        self.crash_if_due(now);
        if self.start.is_some_and(|at| at <= now) {
            self.start_process(now);
        } else if !due.is_empty() {
            due.into_iter().for_each(std::task::Waker::wake);
            self.run_process();
        }
        self.replace_if_due(now);
        while let Some((_, stranger)) = self.strangers.pop_if(|(at, _)| *at <= now) {
            self.scrape_by_stranger(stranger);
        }
        for number in 0..self.scrapers.len() {
            if self.scrapers[number].next <= now {
                self.scrape(number);
            }
        }
        self.end_last_call_if_due(now);
        self.check_waits(now);
        if self.next_check <= now {
            self.next_check = now + CHECK_INTERVAL;
            self.check_end(now);
        }
    }

    fn next_time(&self) -> Ms {
        let timer = self.shared.lock().next_timer();
        let scrapes = self.scrapers.iter().map(|scraper| scraper.next);
        let others = [
            timer,
            self.start,
            self.crashes.next(),
            self.next_replacement(),
            self.strangers.last().map(|(at, _)| *at),
            self.last_call.as_ref().map(|last_call| last_call.until),
        ];
        scrapes
            .chain(others.into_iter().flatten())
            .chain([self.next_check])
            .min()
            .unwrap_or(self.next_check)
    }

    /// Moves the time of the world to `now`, and returns the timers that are due.
    fn advance_time(&mut self, now: Ms) -> Vec<std::task::Waker> {
        // As it was until now, before a server that is due begins.
        let is_calm = self.is_calm(now - 1);
        let mut world = self.shared.lock();
        let circumstances = Circumstances {
            is_up: self.process.as_ref().is_some_and(Process::is_publishing),
            last_answer: self.last_answer,
        };
        let before = world.now;
        world.liveness.advance(before, now, circumstances);
        if !is_calm {
            world.liveness.disturb(now);
        }
        world.advance(now);
        world.take_due_timers()
    }

    /// Notes what was decided to be shown before a time without scrapes that is too long at
    /// `now`.
    fn note_silence(&mut self, now: Ms) {
        let world = self.shared.lock();
        let silent = self
            .last_served
            .map(|last| last + self.plan.longest_learned_hold());
        if silent.is_some_and(|silent| (world.now + 1..=now).contains(&silent)) {
            self.decided = Arc::new(world.disk.decided.clone());
        }
    }

    fn run_process(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        process.advance();
        let died = self.shared.lock().died.take();
        if let Some(place) = died {
            self.crash(place);
        }
    }

    /// Checks that no count waits for too long.
    fn check_waits(&mut self, now: Ms) {
        // As it was until now, before a server that is due begins.
        let is_calm = self.is_calm(now - 1);
        let mut world = self.shared.lock();
        if !is_calm || !world.disk.is_whole() {
            world.liveness.disturb(now);
        }
        if let Err(claim) = world.liveness.check(now) {
            world.report_broken(claim);
        }
    }

    /// Returns `true` if nothing but strangers keeps the gate from publishing soon: the
    /// exporter is up, every server is there and scrapes as it should, and none has left
    /// for which the gate may wait.
    fn is_calm(&self, now: Ms) -> bool {
        let waits_for = |scraper: &Scraper| {
            let plan = &scraper.plan;
            self.known.is_waited_for(plan.id, plan.interval, now)
        };
        let is_settled = |scraper: &Scraper| {
            if scraper.is_there(now) {
                scraper.is_on_time(now)
            } else {
                !scraper.plan.has_left(now) || !waits_for(scraper)
            }
        };
        self.process.as_ref().is_some_and(Process::is_publishing)
            && self.scrapers.iter().any(|scraper| scraper.is_there(now))
            && self.scrapers.iter().all(is_settled)
    }

    /// Returns how long the exporter was down since `since`.
    fn down_since(&self, since: Ms) -> Ms {
        let spans = self.outages.iter();
        spans.map(|(from, to)| (to - since.max(*from)).max(0)).sum()
    }

    /// Returns how long a server is away before the gate may take another for its successor.
    fn least_absence(&self, id: u64) -> Ms {
        let server = self.plan.scrapers.iter().find(|server| server.id == id);
        server.map_or(Ms::MAX, |server| server.interval)
    }

    /// Returns how long a server is away before the gate surely takes another for its
    /// successor.
    fn sure_absence(&self, id: u64) -> Ms {
        let server = self.plan.scrapers.iter().find(|server| server.id == id);
        server.map_or(Ms::MAX, |server| {
            hold(server.interval).max(self.plan.usual_hold()) + SECOND
        })
    }
}
