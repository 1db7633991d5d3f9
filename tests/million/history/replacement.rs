//! How a process is replaced by one of another name: polling ends, and the process goes on
//! answering until every server has fetched what is shown.

use super::History;
use crate::{
    clock::{Ms, SECOND},
    mutant::Mutant,
    plan::Replacement,
    process::uptime,
};

/// The longest time that the process goes on answering.
const LONGEST_LAST_CALL: Ms = 20 * SECOND;

/// The last call of a process that is being replaced.
pub(super) struct LastCall {
    /// When the process ends, whoever was not served.
    pub(super) until: Ms,
    /// The number of events that a bound let through before.
    timeouts: u64,
}

impl History {
    /// Returns when the process is to be replaced, if that does not await a step.
    pub(super) fn next_replacement(&self) -> Option<Ms> {
        let next = self.replacements.last();
        let next = next.filter(|next| !next.awaits_step);
        next.map(|next| next.at)
    }

    pub(super) fn replace_if_due(&mut self, now: Ms) {
        let mut world = self.shared.lock();
        let has_stepped = std::mem::take(&mut world.has_stepped);
        let is_due = |next: &mut Replacement| {
            next.at <= now && (has_stepped || !next.awaits_step || world.is_calm)
        };
        if self.replacements.pop_if(is_due).is_none() || self.process.is_none() {
            return;
        }
        world.tally.replacements += 1;
        world.log(|| "is to be replaced".into());
        let timeouts = world.disk.gate_timeouts();
        drop(world);
        self.last_call.get_or_insert(LastCall {
            until: now + LONGEST_LAST_CALL,
            timeouts,
        });
    }

    /// Ends publishing once no commit is under way, and the process once every server was
    /// served, or after the longest time.
    pub(super) fn end_last_call_if_due(&mut self, now: Ms) {
        let Some(last_call) = &self.last_call else {
            return;
        };
        let Some(process) = &mut self.process else {
            return;
        };
        let (up, is_ahead) = {
            let world = self.shared.lock();
            (uptime(&world), world.disk.is_ahead)
        };
        let has_ended = process.end_publishing();
        let not_served = process.not_served(up);
        let is_served = has_ended && not_served == 0;
        let is_skipped = has_ended && self.plan.mutant == Some(Mutant::NoLastCall);
        if !is_served && !is_skipped && now < last_call.until {
            return;
        }
        let mut world = self.shared.lock();
        world.log(|| format!("is replaced, {not_served} servers were not served"));
        world.tally.last_calls_in_vain += u64::from(!is_served);
        let down = world.rng.i64(0..3 * SECOND);
        drop(world);
        // What the process does not know to be durable is not shown.
        self.rename_target(now, has_ended && !is_ahead);
        self.last_call = None;
        self.end_process(now, down);
    }

    /// Lets servers know the exporter by another name from now on. `is_whole` is `true` if
    /// they were waited for.
    pub(super) fn rename_target(&mut self, now: Ms, is_whole: bool) {
        let timeouts = self.last_call.as_ref().map_or(0, |call| call.timeouts);
        for scraper in &mut self.scrapers {
            let is_known = self.known.is_known(scraper.plan.id);
            scraper.rename(is_whole && is_known, now, timeouts);
        }
    }
}
