//! A model of a server that scrapes, and the claims about the samples that it receives.

use std::{ops::Range, sync::Arc};

use audit_core::gate::LONGEST_ABSENCE;
use fastrand::Rng;

use crate::{
    clock::{MINUTE, Ms, SECOND},
    plan::{ScraperPlan, hold},
    sample::Sample,
    tally::Tally,
};

/// How long a server that comes back after `LONGEST_ABSENCE` may be shown no events: until
/// the server is stored again, which waits for the disk.
const LONGEST_UNSTORED: Ms = 5 * MINUTE;

/// A server that scrapes.
pub(crate) struct Scraper {
    pub(crate) plan: ScraperPlan,
    rng: Rng,
    /// When the next scrape is due.
    tick: Ms,
    /// When the next scrape is answered.
    pub(crate) next: Ms,
    pub(crate) connection: u64,
    missed_last: bool,
    /// When the server was last answered with events.
    pub(crate) last_served: Option<Ms>,
    /// When the server was last answered, with or without events.
    pub(crate) last_answered: Option<Ms>,
    /// When the server came back from an absence of `LONGEST_ABSENCE` or longer.
    returned: Option<Ms>,
    /// The first sample received.
    first: Option<Arc<Sample>>,
    /// The last sample received, and when.
    last: Option<(Ms, Arc<Sample>)>,
    /// The sums of all increases between two samples in a row.
    increase: Sample,
}

/// The outcome of a scrape for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The answer was received.
    Received,
    /// The scrape was answered, and the answer was lost.
    Lost,
    /// The scrape was missed.
    NotSent,
}

/// The last reason of the gate to stand still.
#[derive(Clone)]
pub(crate) struct Standstill {
    /// The first scrape after a start, or after a long time without a scrape.
    pub(crate) at: Ms,
    /// Everything that was decided to be shown before that scrape.
    pub(crate) decided: Arc<Sample>,
}

/// The circumstances of a scrape that the server does not know.
pub(crate) struct ScrapeContext<'a> {
    pub(crate) now: Ms,
    pub(crate) standstill: Option<&'a Standstill>,
    /// How long the exporter was down since the last answer with events.
    pub(crate) down: Ms,
    /// The longest distance that is promised between the two samples around a step.
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

    /// Draws the outcome of the scrape that is due, and when the next one is answered. A
    /// server does not miss or lose two scrapes in a row, not even with an absence between
    /// them; the scrapes of the absence do not count.
    pub(crate) fn scrape(&mut self, now: Ms, is_calm: bool) -> Delivery {
        let away = self.is_away(self.tick);
        let is_missed = !is_calm && !self.missed_last && self.rng.f64() < self.plan.misses;
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
            return Delivery::NotSent;
        }
        self.missed_last = is_missed;
        match is_missed {
            false => Delivery::Received,
            true if self.rng.bool() => Delivery::Lost,
            true => Delivery::NotSent,
        }
    }

    /// Ends the connection, since the exporter has died.
    pub(crate) fn disconnect(&mut self) {
        self.connection += 1;
    }

    /// Records that the server is answered. `down` is how long the exporter was down since
    /// the last answer.
    pub(crate) fn is_answered(&mut self, now: Ms, down: Ms) {
        let last = self.last_answered.replace(now).unwrap_or(now);
        if now - last - down >= longest_absence() {
            self.returned = Some(now);
        }
    }

    /// Checks and keeps a sample; `None` is an exposition without events.
    pub(crate) fn receive(
        &mut self,
        sample: Option<Arc<Sample>>,
        context: &ScrapeContext<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let Some(sample) = sample else {
            let is_unstored = self
                .returned
                .is_some_and(|returned| context.now - returned < LONGEST_UNSTORED);
            return if self.last.is_none() || is_unstored {
                Ok(())
            } else {
                Err(format!("scraper {}: all series are gone", self.plan.id))
            };
        };
        if let Some((at, last)) = &self.last
            && !Arc::ptr_eq(last, &sample)
        {
            let (at, last) = (*at, Arc::clone(last));
            self.compare(at, &last, &sample, context, tally)
                .map_err(|claim| format!("scraper {}: {claim}", self.plan.id))?;
        }
        self.first.get_or_insert_with(|| Arc::clone(&sample));
        self.last = Some((context.now, sample));
        Ok(())
    }

    fn compare(
        &mut self,
        at: Ms,
        last: &Sample,
        sample: &Sample,
        context: &ScrapeContext<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        if let Some(gone) = last.keys().find(|name| !sample.contains_key(*name)) {
            return Err(format!("{gone} is gone"));
        }
        let mut steps = false;
        for (name, value) in sample {
            match last.get(name) {
                None if *value == 0 => tally.first_events_seen += 1,
                None if self.was_away_for_long(context) => {
                    tally.after_long_absence += 1;
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
            self.check_step(at..context.now, sample, context, tally)?;
        }
        Ok(())
    }

    /// Returns `true` if the server was away for `LONGEST_ABSENCE` or longer. The time that
    /// the exporter was down does not count.
    fn was_away_for_long(&self, context: &ScrapeContext<'_>) -> bool {
        let last = self.last_served.unwrap_or(context.now);
        context.now - last - context.down >= longest_absence()
    }

    /// Checks the distance of the samples around a step. They are no further apart than
    /// promised, unless the server itself was away, or the new value was decided to be shown
    /// before all servers went away or the exporter died.
    fn check_step(
        &self,
        between: Range<Ms>,
        sample: &Sample,
        context: &ScrapeContext<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let standstill = context
            .standstill
            .filter(|standstill| standstill.at > between.start);
        let distance = between.end - between.start;
        if let Some(standstill) = standstill
            && between.end - standstill.at < hold(self.plan.interval)
        {
            let shown_before = |name: &String| standstill.decided.get(name).copied().unwrap_or(0);
            let early = sample
                .iter()
                .find(|(name, value)| **value > shown_before(name));
            if let Some((name, value)) = early {
                return Err(format!(
                    "{name} steps to {value} over an outage of {distance} ms"
                ));
            }
            tally.steps_over_outage += 1;
        } else if distance <= context.promised {
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

    /// Returns `true` if `sample` is the last sample that the server received.
    pub(crate) fn has_last(&self, sample: Option<&Arc<Sample>>) -> bool {
        let last = self.last.as_ref().map(|(_, last)| last);
        last.zip(sample)
            .is_some_and(|(last, sample)| Arc::ptr_eq(last, sample))
    }

    /// Returns `true` if the last sample shows exactly `recorded`.
    pub(crate) fn has_seen(&self, recorded: &Sample) -> bool {
        let Some((_, last)) = &self.last else {
            return false;
        };
        let nothing_else = last
            .iter()
            .all(|(name, value)| *value == recorded.get(name).copied().unwrap_or(0));
        nothing_else && recorded.keys().all(|name| last.contains_key(name))
    }

    /// Checks that the sum of all increases is what was recorded since the first sample.
    pub(crate) fn check_increase(&self, recorded: &Sample) -> Result<(), String> {
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

fn longest_absence() -> Ms {
    Ms::try_from(LONGEST_ABSENCE.as_millis()).unwrap_or(Ms::MAX)
}
