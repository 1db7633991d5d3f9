//! The claims about the samples that a server receives.

use std::{ops::Range, sync::Arc};

use audit_core::gate::LONGEST_ABSENCE;

use super::{Delivery, Exceptions, LastBefore, Scraper};
use crate::{
    clock::{MINUTE, Ms, SECOND},
    plan::hold,
    sample::{Sample, family},
    tally::Tally,
};

/// How long a server that is back, as `Scraper::returned` says, may be shown no events: until
/// the server is stored again, which waits for the disk.
const LONGEST_UNSTORED: Ms = 5 * MINUTE;
/// How long the gate waits for a server of unknown interval that was seen once.
const UNKNOWN_WAIT: Ms = 70 * SECOND;
/// The longest interval of a server that surely scrapes twice within the 20 s of a last
/// call.
const SURELY_TWICE: Ms = 5 * SECOND;

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
    /// The shortest H that the gate may have.
    pub(crate) shortest_hold: Ms,
    /// The durable number of events that a bound let through.
    pub(crate) timeouts: u64,
}

/// Two samples in a row.
struct Pair<'a> {
    between: Range<Ms>,
    last: &'a Sample,
    sample: &'a Sample,
}

impl Scraper {
    /// Records that the server is answered. `down` is how long the exporter was down since
    /// the last answer.
    pub(crate) fn is_answered(&mut self, delivery: Delivery, now: Ms, down: Ms) {
        self.lost_last = delivery == Delivery::Lost;
        let last = self.last_answered.replace(now).unwrap_or(now);
        if now - last - down >= longest_absence() || self.since_sample.is_followed {
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
        let name = self.plan.id;
        let checked = self.check(sample.as_ref(), context, tally);
        if let Some(sample) = sample {
            self.first.get_or_insert_with(|| Arc::clone(&sample));
            self.last = Some((context.now, sample));
            self.since_sample = Exceptions::default();
        }
        checked.map_err(|claim| format!("scraper {name}: {claim}"))
    }

    fn check(
        &mut self,
        sample: Option<&Arc<Sample>>,
        context: &ScrapeContext<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let Some(sample) = sample else {
            return self.check_hidden(context);
        };
        if let Some(replaced) = self.replaced.take()
            && context.now - replaced.at <= hold(self.plan.interval)
            && !self.since_sample.is_unknown
        {
            check_replaced(&replaced, sample, context.timeouts)?;
            tally.last_calls_checked += 1;
        }
        let Some((at, last)) = self.last.clone() else {
            return Ok(());
        };
        if self.is_after_backup || Arc::ptr_eq(&last, sample) {
            return Ok(());
        }
        let pair = Pair {
            between: at..context.now,
            last: &last,
            sample,
        };
        self.compare(&pair, context, tally)
    }

    /// Checks that the server may be shown no events.
    fn check_hidden(&self, context: &ScrapeContext<'_>) -> Result<(), String> {
        let Exceptions {
            is_crowded,
            is_followed,
            ..
        } = self.since_sample;
        let is_unstored = self
            .returned
            .is_some_and(|returned| context.now - returned < LONGEST_UNSTORED);
        if self.last.is_none() || self.is_after_backup || is_unstored || is_crowded || is_followed {
            Ok(())
        } else {
            Err("all series are gone".into())
        }
    }

    fn compare(
        &mut self,
        pair: &Pair<'_>,
        context: &ScrapeContext<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let Pair { last, sample, .. } = pair;
        if let Some(gone) = last.keys().find(|name| !sample.contains_key(*name)) {
            return Err(format!("{gone} is gone"));
        }
        let mut steps = false;
        for (name, value) in *sample {
            let before = match last.get(name) {
                None if *value == 0 => {
                    tally.first_events_seen += 1;
                    0
                }
                None => {
                    self.begin_above_0(name, *value, pair, context, tally)?;
                    0
                }
                Some(before) if before > value => {
                    return Err(format!("{name} falls from {before} to {value}"));
                }
                Some(before) => {
                    steps |= before < value;
                    *before
                }
            };
            *self.increase.entry(name.clone()).or_default() += value - before;
        }
        if steps {
            self.check_step(pair, context, tally)?;
        }
        Ok(())
    }

    /// Checks that a series may begin above 0.
    fn begin_above_0(
        &mut self,
        name: &str,
        value: u64,
        pair: &Pair<'_>,
        context: &ScrapeContext<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let Exceptions {
            is_unknown,
            is_crowded,
            is_followed,
        } = self.since_sample;
        let distance = pair.between.end - pair.between.start;
        let may_miss = self.is_hold_short(context) || self.was_absent(&pair.between);
        if self.was_away_for_long(context) {
            tally.after_long_absence += 1;
        } else if is_unknown && may_miss && (is_crowded || distance > UNKNOWN_WAIT) {
            tally.began_for_unknown += 1;
        } else if is_followed || (is_crowded && distance > hold(self.plan.interval)) {
            tally.began_for_followed += 1;
        } else {
            self.lose(name, value, context.timeouts)
                .map_err(|lost| format!("{name} begins at {value}{lost}"))?;
            tally.lost_by_bound += value;
        }
        Ok(())
    }

    /// Records that the server did not see `events` of a series as an increase. A bound must
    /// have let at least as many through.
    fn lose(&mut self, name: &str, events: u64, timeouts: u64) -> Result<(), String> {
        let lost = &mut self.lost[family(name)];
        *lost += events;
        if *lost <= timeouts {
            return Ok(());
        }
        Err(match timeouts {
            0 => String::new(),
            _ => format!(": {lost} events are lost, and a bound let {timeouts} through"),
        })
    }

    /// Returns `true` if the server was away for `LONGEST_ABSENCE` or longer. The time that
    /// the exporter was down does not count.
    fn was_away_for_long(&self, context: &ScrapeContext<'_>) -> bool {
        let last = self.last_served.unwrap_or(context.now);
        context.now - last - context.down >= longest_absence()
    }

    /// Returns `true` if H may be too short for the server while its interval is unknown.
    fn is_hold_short(&self, context: &ScrapeContext<'_>) -> bool {
        hold(self.plan.interval) > context.shortest_hold
    }

    /// Returns `true` if the server was away, or its answers were cut off, within `span`.
    fn was_absent(&self, span: &Range<Ms>) -> bool {
        let mut absences = self.plan.absences();
        absences.any(|absence| absence.start < span.end && span.start < absence.end)
    }

    /// Checks the distance of the samples around a step. They are no further apart than
    /// promised, unless the server itself was away, or the new value was decided to be shown
    /// before all servers went away or the exporter died, or a bound let it through.
    fn check_step(
        &mut self,
        pair: &Pair<'_>,
        context: &ScrapeContext<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let Range { start, end } = pair.between;
        let standstill = context.standstill.filter(|standstill| {
            standstill.at > start && end - standstill.at < hold(self.plan.interval)
        });
        let distance = end - start;
        if self.since_sample.is_unknown && self.is_hold_short(context) {
            tally.steps_for_unknown += 1;
        } else if let Some(standstill) = standstill {
            if !self.since_sample.is_followed {
                self.check_outage(pair, standstill, context, tally)
                    .map_err(|early| format!("{early} over an outage of {distance} ms"))?;
            }
            tally.steps_over_outage += 1;
        } else if distance <= context.promised {
            tally.steps_in_window += 1;
        } else if self.was_absent(&pair.between) {
            tally.steps_over_own_absence += 1;
        } else {
            return Err(format!("a step between samples {distance} ms apart"));
        }
        Ok(())
    }

    /// Checks a step to values that the gate should not show yet: they were decided to be
    /// shown before it stood still, or a bound let them through.
    fn check_outage(
        &mut self,
        pair: &Pair<'_>,
        standstill: &Standstill,
        context: &ScrapeContext<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let Pair { last, sample, .. } = pair;
        for (name, before) in *last {
            let decided = standstill.decided.get(name).copied().unwrap_or(0);
            let value = sample[name];
            let early = value.saturating_sub(decided.max(*before));
            if early > 0 {
                self.lose(name, early, context.timeouts)
                    .map_err(|lost| format!("{name} steps to {value}{lost}"))?;
                tally.lost_by_bound += early;
            }
        }
        Ok(())
    }

    /// Records that the exporter is called by another name from now on, so that all series
    /// begin anew. If the exporter waited for this server with what it showed, its first
    /// sample under the new name must be equal to the last one under the old name;
    /// `timeouts` is the number of events that a bound let through before.
    pub(crate) fn rename(&mut self, was_waited_for: bool, now: Ms, timeouts: u64) {
        let surely = was_waited_for
            && !self.plan.shares_address
            && self.plan.interval <= SURELY_TWICE
            && self.is_there(now)
            && self.is_on_time(now)
            && !self.lost_last
            && !self.is_after_backup;
        let last = self.last.take().map(|(_, last)| last);
        self.replaced = last.filter(|_| surely).map(|last| LastBefore {
            at: now,
            last,
            timeouts,
        });
        self.first = None;
        self.increase.clear();
    }

    /// Records that an older copy of the disk was put back. From then on it is only claimed
    /// that the last sample shows what was recorded.
    pub(crate) fn put_back(&mut self) {
        self.is_after_backup = true;
        self.replaced = None;
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
        if self.is_after_backup {
            return Ok(());
        }
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

/// Checks that the first sample under a new name shows what the last one under the old name
/// showed. A bound may let events through meanwhile; `timeouts` are all that it ever did.
fn check_replaced(before: &LastBefore, sample: &Sample, timeouts: u64) -> Result<(), String> {
    let let_through = timeouts.saturating_sub(before.timeouts);
    let mut more = [0; 2];
    for (name, value) in sample {
        let before = before.last.get(name).copied().unwrap_or(0);
        more[family(name)] += value.saturating_sub(before);
        if *value < before || more[family(name)] > let_through {
            return Err(format!(
                "{name} was {before} before the replacement, and is {value} after it"
            ));
        }
    }
    Ok(())
}

fn longest_absence() -> Ms {
    Ms::try_from(LONGEST_ABSENCE.as_millis()).unwrap_or(Ms::MAX)
}
