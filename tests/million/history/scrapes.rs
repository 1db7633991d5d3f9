//! How servers and strangers scrape, and what is checked of each answer.

use std::{sync::Arc, time::Duration};

use audit_core::gate::{Scrape, ScraperId};

use super::History;
use crate::{
    clock::{Ms, SECOND},
    mutant::Mutant,
    process::{Answer, uptime},
    sample::{Sample, brief},
    scraper::{Delivery, ScrapeContext, Standstill},
    world::World,
};

impl History {
    pub(super) fn scrape(&mut self, number: usize) {
        let (now, is_calm) = {
            let world = self.shared.lock();
            (world.now, world.is_calm)
        };
        let delivery = self.scrapers[number].scrape(now, is_calm);
        if delivery == Delivery::NotSent || !self.announce(number) {
            self.shared.lock().tally.scrapes_missed += 1;
            return;
        }
        let standstill = self.record_answer(delivery, now);
        let id = ScraperId(self.scrapers[number].plan.id);
        let answer = self.answer((!self.is_hidden(number)).then_some(id));
        if delivery == Delivery::Cut && self.plan.mutant != Some(Mutant::CutIsServed) {
            let mut world = self.shared.lock();
            world.tally.scrapes_cut += 1;
            return;
        }
        self.record_scrape(number, &answer);
        if delivery == Delivery::Cut {
            return;
        }
        if !self.is_hidden(number) {
            self.last_answer = Some(now);
        }
        let last = self.scrapers[number].last_answered.unwrap_or(now);
        let down = self.down_since(last);
        self.scrapers[number].is_answered(delivery, now, down);
        let mut world = self.shared.lock();
        if last >= world.started {
            world.liveness.answer(now - last);
        }
        drop(world);
        self.deliver(number, (delivery, answer), standstill.as_ref());
    }

    /// Gives the server its answer, if it receives it.
    fn deliver(
        &mut self,
        number: usize,
        (delivery, answer): (Delivery, Answer),
        standstill: Option<&Standstill>,
    ) {
        let sample = answer.sample;
        let mut world = self.shared.lock();
        let now = world.now;
        let scraper = &mut self.scrapers[number];
        let since = scraper.last_served.unwrap_or(now);
        let down = self.outages.iter();
        let down = down.map(|(from, to)| (to - since.max(*from)).max(0)).sum();
        let context = ScrapeContext {
            now,
            standstill,
            down,
            promised: self.plan.longest_hold(),
            shortest_hold: self.plan.shortest_hold(),
            timeouts: world.disk.gate_timeouts(),
        };
        world.tally.scrapes += 1;
        world.log(|| {
            let shown = match sample.as_deref() {
                None => "no events".into(),
                Some(_) if scraper.has_last(sample.as_ref()) => "as before".into(),
                Some(sample) => brief(sample),
            };
            format!("scrape by {}, {delivery:?}: {shown}", scraper.plan.id)
        });
        let mut claim = sample
            .as_deref()
            .map_or(Ok(()), |sample| check_committed(sample, &world));
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
        drop(world);
        self.note_unknown_of(number);
    }

    /// Answers a client that only sends a few requests.
    pub(super) fn scrape_by_stranger(&mut self, number: usize) {
        let stranger = self.plan.strangers[number].clone();
        let id = ScraperId(stranger.id);
        if !self.announce_client(id) {
            return;
        }
        let now = {
            let mut world = self.shared.lock();
            world.log(|| format!("request of stranger {}", stranger.id));
            world.tally.requests_of_strangers += 1;
            world.now
        };
        self.record_answer(Delivery::Received, now);
        let Answer { generation, .. } = self.answer(Some(id));
        let scrape = Scrape {
            scraper: id,
            product: stranger.product,
            target: 1,
            connection: (stranger.id << 20) + now.unsigned_abs(),
            timeout: stranger.limit,
        };
        self.record(scrape, generation);
    }

    /// Lets the poller store a new scraper before it is answered, as the server of the
    /// exporter does. The exporter's server waits for that up to a limit. Here the scrape
    /// goes on at once, as if the disk had taken longer than the limit. Returns `false` if no
    /// process runs.
    fn announce(&mut self, number: usize) -> bool {
        let id = ScraperId(self.scrapers[number].plan.id);
        if self.is_hidden(number) {
            return self.process.is_some();
        }
        self.announce_client(id)
    }

    fn announce_client(&mut self, id: ScraperId) -> bool {
        let up = uptime(&self.shared.lock());
        let Some(process) = &self.process else {
            return false;
        };
        if !process.announce(id, up) {
            self.run_process();
        }
        self.process.is_some()
    }

    /// Returns `true` if the gate is not told of this scraper, under
    /// [`Mutant::HoldForOneScraper`]. If the first scraper leaves for good, the gate is told
    /// of all: otherwise it would be told of none, and would show nothing.
    fn is_hidden(&self, number: usize) -> bool {
        number > 0
            && self.plan.mutant == Some(Mutant::HoldForOneScraper)
            && self.scrapers[0].plan.leaves.is_none()
    }

    /// Returns the answer of the exporter.
    fn answer(&mut self, id: Option<ScraperId>) -> Answer {
        let uptime = uptime(&self.shared.lock());
        let process = self.process.as_mut().expect("a process that runs");
        process.answer(id, uptime, &mut self.reader)
    }

    /// Records in the gate that the answer to a server was sent.
    fn record_scrape(&mut self, number: usize, answer: &Answer) {
        let is_hidden = self.is_hidden(number);
        let scraper = &self.scrapers[number];
        let plan = &scraper.plan;
        let now = self.shared.lock().now;
        let timeout = if plan.states_limit { plan.limit() } else { 0 };
        let scrape = Scrape {
            scraper: ScraperId(plan.id),
            product: plan.product,
            target: plan.target(now),
            connection: scraper.connection,
            timeout: Duration::from_millis(timeout.unsigned_abs()),
        };
        if is_hidden {
            self.known.record(&scrape, now);
            return;
        }
        self.record(scrape, answer.generation);
        self.note_successor(self.scrapers[number].plan.id);
    }

    /// Notes which server may have been taken for gone since `id` has been answered.
    fn note_successor(&mut self, id: u64) {
        let candidates = self.known.followed_by(id, |gone| self.least_absence(gone));
        for other in &mut self.scrapers {
            other.since_sample.is_followed |= candidates.contains(&other.plan.id);
        }
        let gone = self.known.followed_by(id, |gone| self.sure_absence(gone));
        self.known.follow(id, &candidates, &gone);
    }

    /// Records a scrape in the gate, and checks what the gate tells of it.
    fn record(&mut self, scrape: Scrape, generation: u64) {
        let mut world = self.shared.lock();
        let process = self.process.as_ref().expect("a process that runs");
        let up = uptime(&world);
        let before = process.hold(up);
        let told = match self.plan.mutant {
            Some(Mutant::NoSuccessor) => Scrape {
                product: scrape.scraper.0,
                ..scrape
            },
            _ => scrape,
        };
        let recorded = process.record(told, generation, up);
        let after = process.hold(up);
        let stops = self.plan.mutant == Some(Mutant::HoldGrowthStops);
        if stops && after > before && world.false_uptime == 0 {
            world.false_uptime = Ms::try_from(after.as_millis()).unwrap_or(0) + SECOND;
        }
        let is_crowded = self.known.are_crowded();
        let is_renamed = self.known.record(&scrape, world.now);
        world.tally.renames_told += u64::from(recorded.is_renamed);
        world.tally.pools_told += u64::from(recorded.is_pooled);
        if recorded.is_renamed != is_renamed && !is_crowded {
            let id = scrape.scraper.0;
            world.report_broken(format!(
                "scraper {id}: another name of the exporter is {is_renamed}, and {} was told",
                recorded.is_renamed
            ));
        }
    }

    /// Records that a scrape is answered. Returns the last reason of the gate to stand still.
    fn record_answer(&mut self, delivery: Delivery, now: Ms) -> Option<Standstill> {
        if delivery == Delivery::Cut {
            return self.standstill.clone();
        }
        let was_silent = self
            .last_served
            .is_none_or(|last| now - last > self.plan.longest_learned_hold());
        if was_silent {
            let decided = Arc::clone(&self.decided);
            self.standstill = Some(Standstill { at: now, decided });
        }
        self.last_served = Some(now);
        self.standstill.clone()
    }

    /// Notes for each server whether the exporter does not know its interval.
    pub(super) fn note_unknown(&mut self) {
        for number in 0..self.scrapers.len() {
            self.note_unknown_of(number);
        }
    }

    fn note_unknown_of(&mut self, number: usize) {
        let scraper = &mut self.scrapers[number];
        let exceptions = &mut scraper.since_sample;
        exceptions.is_unknown |= !self.known.is_known(scraper.plan.id);
        exceptions.is_crowded |= self.known.are_crowded();
    }
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
