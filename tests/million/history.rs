//! One history: processes start and die, servers scrape, and at the end every server must
//! have seen what the API has recorded.

use std::{sync::Arc, time::Duration};

use audit_core::gate::{Scrape, ScraperId};
use nexmo_audit_exporter::{
    exposition::{Encoding, Format, Variant},
    metrics::AccountMetrics,
};

use crate::{
    clock::{MINUTE, Ms, SECOND},
    mutant::Mutant,
    plan::Plan,
    process::{Process, uptime},
    sample::{Reader, Sample, brief},
    scraper::{Delivery, ScrapeContext, Scraper, Standstill},
    tally::Tally,
    world::{Shared, World},
};

/// How long the world may be calm before events that are still missing count as lost. A
/// poller whose credentials were rejected pauses for 5 minutes, and a server that is away is
/// waited for 10 minutes, and again after a restart.
const LONGEST_CALM: Ms = 90 * MINUTE;
/// The interval of the checks whether the history has ended.
const CHECK_INTERVAL: Ms = 5 * SECOND;

/// The format that the simulated servers ask for.
const TEXT: Variant = Variant::new(Format::Text, Encoding::Identity);

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
    let mut world = history.shared.lock();
    world.tally.histories = 1;
    world.tally.simulated_ms = world.now;
    Outcome {
        tally: world.tally,
        broken: world.broken.take(),
        trace: world.trace.take().unwrap_or_default(),
    }
}

struct History {
    shared: Shared,
    plan: Arc<Plan>,
    metrics: Arc<AccountMetrics>,
    process: Option<Process>,
    /// When the next process starts.
    start: Option<Ms>,
    kills: Vec<Ms>,
    scrapers: Vec<Scraper>,
    reader: Reader,
    /// When the exporter was down.
    outages: Vec<(Ms, Ms)>,
    /// The last scrape, by any server, that this process answered.
    last_served: Option<Ms>,
    standstill: Option<Standstill>,
    next_check: Ms,
    is_done: bool,
}

impl History {
    fn new(plan: Plan, metrics: &Arc<AccountMetrics>, traced: bool) -> Self {
        let plan = Arc::new(plan);
        let shared = Shared::new(World::new(Arc::clone(&plan), traced));
        let numbered = plan.scrapers.iter().cloned().zip(1..);
        let scrapers = numbered.map(|(plan, number)| Scraper::new(plan, number));
        let mut kills = plan.kills.clone();
        kills.sort_unstable_by_key(|at| -at);
        Self {
            shared,
            metrics: Arc::clone(metrics),
            process: None,
            start: Some(0),
            kills,
            scrapers: scrapers.collect(),
            reader: Reader::default(),
            outages: Vec::new(),
            last_served: None,
            standstill: None,
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
        let due = {
            let mut world = self.shared.lock();
            world.now = now;
            world.is_calm = now >= self.plan.span;
            world.take_due_timers()
        };
        if self.kills.last().is_some_and(|at| *at <= now) {
            self.kills.pop();
            self.crash("at a random time");
        }
        if self.start.is_some_and(|at| at <= now) {
            self.start = None;
            self.process = Some(Process::start(&self.shared, &self.metrics));
            self.record_false_scrapes();
            self.run_process();
        } else if !due.is_empty() {
            due.into_iter().for_each(std::task::Waker::wake);
            self.run_process();
        }
        for number in 0..self.scrapers.len() {
            if self.scrapers[number].next <= now {
                self.scrape(number);
            }
        }
        if self.next_check <= now {
            self.next_check = now + CHECK_INTERVAL;
            self.check_end(now);
        }
    }

    fn next_time(&self) -> Ms {
        let timer = self.shared.lock().next_timer();
        let scrapes = self.scrapers.iter().map(|scraper| scraper.next);
        let others = [timer, self.start, self.kills.last().copied()];
        scrapes
            .chain(others.into_iter().flatten())
            .chain([self.next_check])
            .min()
            .unwrap_or(self.next_check)
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

    fn crash(&mut self, place: &str) {
        if self.process.take().is_none() {
            return;
        }
        let mut world = self.shared.lock();
        let longest = match world.rng.u8(0..40) {
            0 => 20 * MINUTE,
            1..10 => 4 * MINUTE,
            10..20 => MINUTE,
            _ => 3 * SECOND,
        };
        let down = world.rng.i64(0..longest);
        world.log(|| format!("dies {place}, for {down} ms"));
        world.clear_timers();
        world.disk.crash();
        world.tally.crashes += 1;
        world.tally.crashes_in_commit += u64::from(place.contains("commit"));
        let now = world.now;
        self.start = Some(now + down);
        self.outages.push((now, now + down));
        drop(world);
        self.last_served = None;
        self.scrapers.iter_mut().for_each(Scraper::disconnect);
    }

    fn scrape(&mut self, number: usize) {
        let (now, is_calm) = {
            let world = self.shared.lock();
            (world.now, world.is_calm)
        };
        let delivery = self.scrapers[number].scrape(now, is_calm);
        if delivery == Delivery::NotSent || self.process.is_none() {
            self.shared.lock().tally.scrapes_missed += 1;
            return;
        }
        self.announce(number);
        if self.process.is_none() {
            self.shared.lock().tally.scrapes_missed += 1;
            return;
        }
        let down = self.down_since(self.scrapers[number].last_answered.unwrap_or(now));
        self.scrapers[number].is_answered(now, down);
        let standstill = self.record_answer(now);
        let text = self.serve(number);
        let sample = self.reader.read(&text);
        let scraper = &self.scrapers[number];
        let id = scraper.plan.id;
        let context = ScrapeContext {
            now,
            standstill: standstill.as_ref(),
            down: self.down_since(scraper.last_served.unwrap_or(now)),
            promised: self.plan.promised_window(),
        };
        let mut world = self.shared.lock();
        world.tally.scrapes += 1;
        world.log(|| {
            let shown = match sample.as_deref() {
                None => "no events".into(),
                Some(_) if scraper.has_last(sample.as_ref()) => "as before".into(),
                Some(sample) => brief(sample),
            };
            format!("scrape by {id}, {delivery:?}: {shown}")
        });
        let mut claim = sample
            .as_deref()
            .map_or(Ok(()), |sample| check_committed(sample, &world));
        let scraper = &mut self.scrapers[number];
        let shown = sample.is_some();
        if delivery == Delivery::Received {
            claim = claim.and_then(|()| scraper.receive(sample, &context, &mut world.tally));
        } else {
            world.tally.scrapes_missed += 1;
        }
        if shown {
            scraper.last_served = Some(now);
        }
        if let Err(claim) = claim {
            world.report_broken(claim);
        }
    }

    /// Lets the poller store a new scraper before it is answered, as the server of the
    /// exporter does. The exporter's server waits for that up to a limit. Here the scrape
    /// goes on at once, as if the disk had taken longer than the limit.
    fn announce(&mut self, number: usize) {
        let process = self.process.as_ref().expect("a process that runs");
        let id = ScraperId(self.scrapers[number].plan.id);
        let up = uptime(&self.shared.lock());
        if !self.is_hidden(number) && !process.gate.announce(id, up) {
            self.run_process();
        }
    }

    /// Returns `true` if the gate is not told of this scraper, under
    /// [`Mutant::HoldForOneScraper`].
    fn is_hidden(&self, number: usize) -> bool {
        number > 0 && self.plan.mutant == Some(Mutant::HoldForOneScraper)
    }

    /// Returns the answer of the exporter.
    fn serve(&self, number: usize) -> String {
        let scraper = &self.scrapers[number];
        let timeout = scraper.plan.interval.min(10 * SECOND);
        let scrape = Scrape {
            scraper: ScraperId(scraper.plan.id),
            product: 1,
            target: 1,
            connection: scraper.connection,
            timeout: Duration::from_millis(timeout.unsigned_abs()),
        };
        let uptime = uptime(&self.shared.lock());
        let process = self.process.as_ref().expect("a process that runs");
        let scrape = (!self.is_hidden(number)).then_some(scrape);
        let scraper = scrape.map(|scrape| scrape.scraper);
        let answer = process.exposition.scrape(scraper, TEXT, uptime);
        let answer = answer.expect("an exposition");
        if let Some(scrape) = scrape {
            process
                .gate
                .record_scrape(scrape, answer.generation, uptime);
        }
        String::from_utf8(answer.parts.concat()).expect("UTF-8")
    }

    /// Records that a scrape is answered. Returns the last reason of the gate to stand still.
    fn record_answer(&mut self, now: Ms) -> Option<Standstill> {
        let was_silent = self
            .last_served
            .is_none_or(|last| now - last > self.plan.promised_window());
        if was_silent {
            let decided = Arc::new(self.shared.lock().disk.decided.clone());
            self.standstill = Some(Standstill { at: now, decided });
        }
        self.last_served = Some(now);
        self.standstill.clone()
    }

    /// Returns how long the exporter was down since `since`.
    fn down_since(&self, since: Ms) -> Ms {
        let spans = self.outages.iter();
        spans.map(|(from, to)| (to - since.max(*from)).max(0)).sum()
    }

    /// Records scrapes that never happened, under [`Mutant::NoStandstill`]: one every second
    /// of the uptime that the process believes to have.
    fn record_false_scrapes(&self) {
        if self.plan.mutant != Some(Mutant::NoStandstill) {
            return;
        }
        let process = self.process.as_ref().expect("a process that runs");
        let up = uptime(&self.shared.lock());
        let scrape = Scrape {
            scraper: ScraperId(99),
            product: 0,
            target: 0,
            connection: 0,
            timeout: Duration::ZERO,
        };
        for second in 0..=up.as_secs() {
            let second = Duration::from_secs(second);
            process.gate.record_scrape(scrape, 0, second);
        }
    }

    /// Ends the history if every event was counted and seen. Reports a broken claim if the
    /// world has been calm for too long, or if a server saw another increase.
    fn check_end(&mut self, now: Ms) {
        let mut world = self.shared.lock();
        let recorded = world.update_recorded().clone();
        let deep = self.plan.polls.deep.map_or(0, |(_, interval)| interval);
        let enough = self.plan.span + self.plan.polls.interval * 3 + deep;
        let counted = world
            .disk
            .totals
            .iter()
            .all(|(name, total)| *total == recorded.get(name).copied().unwrap_or(0));
        let seen = self
            .scrapers
            .iter()
            .all(|scraper| scraper.has_seen(&recorded));
        if counted && seen && now >= enough {
            self.is_done = true;
            let history = world.api.history.clone();
            for scraper in &self.scrapers {
                let verdict = scraper.check_increase(&recorded);
                if let Err(claim) = verdict.and_then(|()| check_history(scraper, &history)) {
                    world.report_broken(claim);
                }
            }
        } else if now > self.plan.span + LONGEST_CALM {
            let totals = world.disk.totals.clone();
            let published = world.disk.published.clone();
            let [recorded, totals, published] = [&recorded, &totals, &published].map(brief);
            world.report_broken(format!("not every event was seen:\n  {recorded} recorded,\n  {totals} counted,\n  {published} published"));
        }
    }
}

/// Checks that events from before the first start are part of the first sample.
fn check_history(scraper: &Scraper, history: &Sample) -> Result<(), String> {
    for (name, events) in history {
        let first = scraper.first().and_then(|first| first.get(name));
        if first.is_none_or(|first| first < events) {
            return Err(format!(
                "scraper {}: {name} began at {first:?} of {events}",
                scraper.plan.id
            ));
        }
    }
    Ok(())
}

/// Checks that no value is shown that is not committed.
fn check_committed(sample: &Sample, world: &World) -> Result<(), String> {
    for (name, value) in sample {
        let durable = world.disk.published.get(name).copied();
        if durable.is_none_or(|durable| *value > durable) {
            return Err(format!(
                "{name} is shown at {value}, and {durable:?} is committed"
            ));
        }
    }
    Ok(())
}
