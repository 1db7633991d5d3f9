//! A server that scrapes, and what it may expect to see.

use std::{ops::Range, sync::Arc};

use audit_core::gate::LONGEST_ABSENCE;
use fastrand::Rng;

use crate::{
    clock::{MINUTE, Ms, SECOND},
    plan::{ScraperPlan, hold},
    sample::Sample,
    tally::Tally,
};

/// For how long one who comes back beyond patience may be shown nothing: until it
/// is stored that it is there, which waits for the disk.
const STRANGER_FOR: Ms = 5 * MINUTE;

/// A server that scrapes.
pub(crate) struct Scraper {
    pub(crate) plan: ScraperPlan,
    rng: Rng,
    /// Its next scrape by the book.
    tick: Ms,
    /// When that is answered.
    pub(crate) next: Ms,
    pub(crate) connection: u64,
    missed_last: bool,
    pub(crate) last_served: Option<Ms>,
    /// When it was answered last, and be it without events.
    pub(crate) last_answered: Option<Ms>,
    /// When it came back from an absence beyond patience.
    returned: Option<Ms>,
    first: Option<Arc<Sample>>,
    last: Option<(Ms, Arc<Sample>)>,
    /// Every increase between two samples in a row.
    increase: Sample,
}

/// How a scrape goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fortune {
    Received,
    /// It was answered, and the answer was lost.
    Lost,
    NotSent,
}

/// When the gate last had a reason to stand still: the first scrape after a start
/// or after a long silence, and all that was decided to be shown before it.
#[derive(Clone)]
pub(crate) struct Resumed {
    pub(crate) at: Ms,
    pub(crate) decided: Arc<Sample>,
}

/// What is known at a scrape that its server does not know.
pub(crate) struct Circumstances<'a> {
    pub(crate) now: Ms,
    pub(crate) resumed: Option<&'a Resumed>,
    /// How long the exporter was down since the last scrape that was answered.
    pub(crate) down: Ms,
    pub(crate) promised: Ms,
}

impl Scraper {
    pub(crate) fn new(plan: ScraperPlan, seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            tick: plan.first,
            next: plan.first,
            connection: seed << 20,
            missed_last: false,
            last_served: None,
            last_answered: None,
            returned: None,
            first: None,
            last: None,
            increase: Sample::new(),
            plan,
        }
    }

    fn is_away(&self, now: Ms) -> bool {
        self.plan.away.iter().any(|span| span.contains(&now))
    }

    /// How this scrape goes; the next one is an interval later. No two are missed
    /// in a row, but for those of a server that is away, and after those none.
    pub(crate) fn scrape(&mut self, now: Ms, is_calm: bool) -> Fortune {
        let away = self.is_away(self.tick);
        let unlucky = !is_calm && !self.missed_last && self.rng.f64() < self.plan.misses;
        self.tick += self.plan.interval;
        let late = if !is_calm && self.rng.f64() < self.plan.slow {
            self.rng.i64(0..self.plan.interval.min(10 * SECOND))
        } else {
            self.rng.i64(0..self.plan.interval.min(SECOND) / 50)
        };
        self.next = (self.tick + late).max(now + 1);
        if away || !self.plan.keeps_connection {
            self.connection += 1;
        }
        if away {
            return Fortune::NotSent;
        }
        self.missed_last = unlucky;
        match unlucky {
            false => Fortune::Received,
            true if self.rng.bool() => Fortune::Lost,
            true => Fortune::NotSent,
        }
    }

    /// The exporter is gone, and every connection with it.
    pub(crate) fn disconnect(&mut self) {
        self.connection += 1;
    }

    /// It is answered, after the exporter was down for so long of the time since it
    /// was last.
    pub(crate) fn is_answered(&mut self, now: Ms, down: Ms) {
        let last = self.last_answered.replace(now).unwrap_or(now);
        if now - last - down >= patience() {
            self.returned = Some(now);
        }
    }

    /// Takes in an exposition, or one without the families of events.
    pub(crate) fn receive(
        &mut self,
        sample: Option<Arc<Sample>>,
        seen: &Circumstances<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let Some(sample) = sample else {
            let is_stranger = self
                .returned
                .is_some_and(|returned| seen.now - returned < STRANGER_FOR);
            return if self.last.is_none() || is_stranger {
                Ok(())
            } else {
                Err(format!("scraper {}: all series are gone", self.plan.id))
            };
        };
        if let Some((at, last)) = &self.last
            && !Arc::ptr_eq(last, &sample)
        {
            let (at, last) = (*at, Arc::clone(last));
            self.compare(at, &last, &sample, seen, tally)
                .map_err(|claim| format!("scraper {}: {claim}", self.plan.id))?;
        }
        self.first.get_or_insert_with(|| Arc::clone(&sample));
        self.last = Some((seen.now, sample));
        Ok(())
    }

    fn compare(
        &mut self,
        at: Ms,
        last: &Sample,
        sample: &Sample,
        seen: &Circumstances<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        if let Some(gone) = last.keys().find(|name| !sample.contains_key(*name)) {
            return Err(format!("{gone} is gone"));
        }
        let mut steps = false;
        for (name, value) in sample {
            match last.get(name) {
                None if *value == 0 => tally.first_events_seen += 1,
                None if self.was_away_beyond_patience(seen) => {
                    tally.beyond_patience += 1;
                    *self.increase.entry(name.clone()).or_default() += value;
                }
                None => return Err(format!("{name} begins at {value}")),
                Some(before) if before > value => {
                    return Err(format!("{name} falls from {before} to {value}"));
                }
                Some(before) => {
                    steps |= before < value;
                    *self.increase.entry(name.clone()).or_default() += value - before;
                }
            }
        }
        if steps {
            self.place_step(at..seen.now, sample, seen, tally)?;
        }
        Ok(())
    }

    /// Patience is the exporter's, so the time that it was down does not count.
    fn was_away_beyond_patience(&self, seen: &Circumstances<'_>) -> bool {
        let last = self.last_served.unwrap_or(seen.now);
        seen.now - last - seen.down >= patience()
    }

    /// A step lies within the promised window; or the server itself was away; or
    /// it was on show already when everyone went away.
    fn place_step(
        &self,
        between: Range<Ms>,
        sample: &Sample,
        seen: &Circumstances<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let resumed = seen.resumed.filter(|resumed| resumed.at > between.start);
        let distance = between.end - between.start;
        if let Some(resumed) = resumed
            && between.end - resumed.at < hold(self.plan.interval)
        {
            let shown_before = |name: &String| resumed.decided.get(name).copied().unwrap_or(0);
            let early = sample
                .iter()
                .find(|(name, value)| **value > shown_before(name));
            if let Some((name, value)) = early {
                return Err(format!(
                    "{name} steps to {value} over an outage of {distance} ms"
                ));
            }
            tally.steps_over_outage += 1;
        } else if distance <= seen.promised {
            tally.steps_in_window += 1;
        } else if self
            .plan
            .away
            .iter()
            .any(|away| away.start < between.end && between.start < away.end)
        {
            tally.steps_over_own_absence += 1;
        } else {
            return Err(format!("a step between samples {distance} ms apart"));
        }
        Ok(())
    }

    /// Whether this is the sample that it received last.
    pub(crate) fn has_last(&self, sample: Option<&Arc<Sample>>) -> bool {
        let last = self.last.as_ref().map(|(_, last)| last);
        last.zip(sample)
            .is_some_and(|(last, sample)| Arc::ptr_eq(last, sample))
    }

    /// Whether it has seen exactly this.
    pub(crate) fn has_seen(&self, recorded: &Sample) -> bool {
        let Some((_, last)) = &self.last else {
            return false;
        };
        let nothing_else = last
            .iter()
            .all(|(name, value)| *value == recorded.get(name).copied().unwrap_or(0));
        nothing_else && recorded.keys().all(|name| last.contains_key(name))
    }

    /// What it saw of the increase, against what was recorded since its first
    /// sample.
    pub(crate) fn judge(&self, recorded: &Sample) -> Result<(), String> {
        let nothing = Sample::new();
        let first = self.first.as_deref().unwrap_or(&nothing);
        for (name, recorded) in recorded {
            let of = |sample: &Sample| sample.get(name).copied().unwrap_or(0);
            let (first, seen) = (of(first), of(&self.increase));
            if first + seen != *recorded {
                return Err(format!(
                    "scraper {}: {name} rose by {seen} from {first}, and {recorded} were recorded",
                    self.plan.id
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn first(&self) -> Option<&Sample> {
        self.first.as_deref()
    }
}

fn patience() -> Ms {
    Ms::try_from(LONGEST_ABSENCE.as_millis()).unwrap_or(Ms::MAX)
}
