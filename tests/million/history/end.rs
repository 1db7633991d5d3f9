//! How a history ends, and what is checked then.

use super::{History, LONGEST_CALM, Outcome};
use crate::{
    clock::Ms,
    sample::{Sample, brief},
    scraper::Scraper,
};

impl History {
    /// Ends the history if every event was counted and seen. Reports a broken claim if the
    /// world has been calm for too long, or if a server saw another increase.
    pub(super) fn check_end(&mut self, now: Ms) {
        let mut world = self.shared.lock();
        let recorded = world.update_recorded().clone();
        let deep = self.plan.polls.deep.map_or(0, |(_, interval)| interval);
        let enough = self.plan.span + self.plan.polls.interval * 3 + deep;
        let counted = world
            .disk
            .totals
            .iter()
            .all(|(name, total)| *total == recorded.get(name).copied().unwrap_or(0));
        let staying = || {
            let all = self.scrapers.iter();
            all.filter(|scraper| !scraper.plan.has_left(now))
        };
        let seen = staying().all(|scraper| scraper.has_seen(&recorded));
        if counted && seen && now >= enough {
            self.is_done = true;
            let history = world.api.history.clone();
            for scraper in staying() {
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

    pub(super) fn outcome(self) -> Outcome {
        let mut world = self.shared.lock();
        let now = world.now;
        let timeouts = world.disk.gate_timeouts();
        let longest = world.liveness.longest;
        let tally = &mut world.tally;
        tally.histories = 1;
        tally.simulated_ms = now.unsigned_abs();
        tally.timeouts = timeouts;
        tally.histories_with_timeouts = u64::from(timeouts > 0);
        tally.calm_waits = longest.calm_waits;
        tally.longest_waits = [longest.seen, longest.new, longest.calm];
        tally.add_plan(&self.plan);
        Outcome {
            tally: world.tally,
            broken: world.broken.take(),
            trace: world.trace.take().unwrap_or_default(),
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
