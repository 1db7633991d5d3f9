//! One history: processes come and go, servers scrape, and in the end all must
//! have seen what the API recorded.

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
    scraper::{Circumstances, Fortune, Resumed, Scraper},
    tally::Tally,
    world::{Shared, World},
};

/// How long calm may last before what is still missing counts as lost: whoever was
/// rejected rests 5 minutes, whoever left is waited for 10, and again after a
/// restart.
const LONGEST_CALM: Ms = 90 * MINUTE;
/// How often it is looked whether all is done.
const LOOK: Ms = 5 * SECOND;

/// What the simulated servers ask for.
const TEXT: Variant = Variant::new(Format::Text, Encoding::Identity);

/// What came of a history.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) broken: Option<String>,
    pub(crate) trace: Vec<String>,
}

/// Runs one history to its end, or to the first claim that does not hold.
pub(crate) fn run(plan: Plan, metrics: &Arc<AccountMetrics>, traced: bool) -> Outcome {
    let mut history = History::new(plan, metrics, traced);
    while !history.has_ended() {
        history.go_on();
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
    /// When it was down.
    outages: Vec<(Ms, Ms)>,
    last_served: Option<Ms>,
    resumed: Option<Resumed>,
    next_look: Ms,
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
            resumed: None,
            next_look: plan.span,
            is_done: false,
            plan,
        }
    }

    fn has_ended(&self) -> bool {
        self.is_done || self.shared.lock().broken.is_some()
    }

    /// To the next moment at which something happens.
    fn go_on(&mut self) {
        let now = self.next_moment();
        let due = {
            let mut world = self.shared.lock();
            world.now = now;
            world.is_calm = now >= self.plan.span;
            world.take_alarms()
        };
        if self.kills.last().is_some_and(|at| *at <= now) {
            self.kills.pop();
            self.crash("wherever it was");
        }
        if self.start.is_some_and(|at| at <= now) {
            self.start = None;
            self.process = Some(Process::start(&self.shared, &self.metrics));
            self.haunt();
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
        if self.next_look <= now {
            self.next_look = now + LOOK;
            self.look(now);
        }
    }

    fn next_moment(&self) -> Ms {
        let alarm = self.shared.lock().next_alarm();
        let scrapes = self.scrapers.iter().map(|scraper| scraper.next);
        let others = [alarm, self.start, self.kills.last().copied()];
        scrapes
            .chain(others.into_iter().flatten())
            .chain([self.next_look])
            .min()
            .unwrap_or(self.next_look)
    }

    fn run_process(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        process.go_on();
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
        let longest = match world.chance.u8(0..40) {
            0 => 20 * MINUTE,
            1..10 => 4 * MINUTE,
            10..20 => MINUTE,
            _ => 3 * SECOND,
        };
        let down = world.chance.i64(0..longest);
        world.note(|| format!("dies {place}, for {down} ms"));
        world.forget_alarms();
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
        let fortune = self.scrapers[number].scrape(now, is_calm);
        if fortune == Fortune::NotSent || self.process.is_none() {
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
        let resumed = self.note_served(now);
        let text = self.serve(number);
        let sample = self.reader.read(&text);
        let scraper = &self.scrapers[number];
        let id = scraper.plan.id;
        let seen = Circumstances {
            now,
            resumed: resumed.as_ref(),
            down: self.down_since(scraper.last_served.unwrap_or(now)),
            promised: self.plan.promised_window(),
        };
        let mut world = self.shared.lock();
        world.tally.scrapes += 1;
        world.note(|| {
            let shown = match sample.as_deref() {
                None => "no events".into(),
                Some(_) if scraper.has_last(sample.as_ref()) => "as before".into(),
                Some(sample) => brief(sample),
            };
            format!("scrape by {id}, {fortune:?}: {shown}")
        });
        let mut claim = sample
            .as_deref()
            .map_or(Ok(()), |sample| is_committed(sample, &world));
        let scraper = &mut self.scrapers[number];
        let shown = sample.is_some();
        if fortune == Fortune::Received {
            claim = claim.and_then(|()| scraper.receive(sample, &seen, &mut world.tally));
        } else {
            world.tally.scrapes_missed += 1;
        }
        if shown {
            scraper.last_served = Some(now);
        }
        if let Err(claim) = claim {
            world.breach(claim);
        }
    }

    /// Lets a poller store a new scraper before it is answered, as the server does. The
    /// server waits for that, but for no longer than the disk of this world may take.
    fn announce(&mut self, number: usize) {
        let process = self.process.as_ref().expect("a process that runs");
        let id = ScraperId(self.scrapers[number].plan.id);
        let up = uptime(&self.shared.lock());
        if !self.is_unseen(number) && !process.gate.announce(id, up) {
            self.run_process();
        }
    }

    /// Whether the fault is that only one scraper counts, and this one does not.
    fn is_unseen(&self, number: usize) -> bool {
        number > 0 && self.plan.mutant == Some(Mutant::HoldUntilOneSawIt)
    }

    /// What the exporter answers.
    fn serve(&self, number: usize) -> String {
        let scraper = &self.scrapers[number];
        let timeout = scraper.plan.interval.min(10 * SECOND);
        let scrape = Scrape {
            scraper: ScraperId(scraper.plan.id),
            connection: scraper.connection,
            timeout: Duration::from_millis(timeout.unsigned_abs()),
        };
        let uptime = uptime(&self.shared.lock());
        let process = self.process.as_ref().expect("a process that runs");
        let scrape = (!self.is_unseen(number)).then_some(scrape);
        let parts = process.exposition.scrape(scrape, TEXT, uptime);
        let text = parts.expect("an exposition").concat();
        String::from_utf8(text).expect("UTF-8")
    }

    /// Someone was answered; says since when the gate has had to stand still.
    fn note_served(&mut self, now: Ms) -> Option<Resumed> {
        let silent = self
            .last_served
            .is_none_or(|last| now - last > self.plan.promised_window());
        if silent {
            let decided = Arc::new(self.shared.lock().disk.decided.clone());
            self.resumed = Some(Resumed { at: now, decided });
        }
        self.last_served = Some(now);
        self.resumed.clone()
    }

    fn down_since(&self, since: Ms) -> Ms {
        let spans = self.outages.iter();
        spans.map(|(from, to)| (to - since.max(*from)).max(0)).sum()
    }

    /// Someone who was never there scraped all along.
    fn haunt(&self) {
        if self.plan.mutant != Some(Mutant::GapUnnoticed) {
            return;
        }
        let process = self.process.as_ref().expect("a process that runs");
        let up = uptime(&self.shared.lock());
        let scrape = Scrape {
            scraper: ScraperId(99),
            connection: 0,
            timeout: Duration::ZERO,
        };
        for second in 0..=up.as_secs() {
            let _ = process
                .exposition
                .scrape(Some(scrape), TEXT, Duration::from_secs(second));
        }
    }

    /// Whether all is done; or ought to be.
    fn look(&mut self, now: Ms) {
        let mut world = self.shared.lock();
        let recorded = world.recorded().clone();
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
                let verdict = scraper.judge(&recorded);
                if let Err(claim) = verdict.and_then(|()| has_history(scraper, &history)) {
                    world.breach(claim);
                }
            }
        } else if now > self.plan.span + LONGEST_CALM {
            let totals = world.disk.totals.clone();
            let published = world.disk.published.clone();
            let [recorded, totals, published] = [&recorded, &totals, &published].map(brief);
            world.breach(format!("not all was seen:\n  {recorded} recorded,\n  {totals} counted,\n  {published} published"));
        }
    }
}

/// What happened before the first start is no increase.
fn has_history(scraper: &Scraper, history: &Sample) -> Result<(), String> {
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

/// Nothing is shown that is not committed.
fn is_committed(sample: &Sample, world: &World) -> Result<(), String> {
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
