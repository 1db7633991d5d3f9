//! A record of the outages of a run, as they happened.

use std::fmt;
use std::time::{Duration, SystemTime};

use test_support::restartable::Signal;

use super::outage_plan::{Outage, Party};

/// The time from the start of a program to its first answer, on a busy machine.
const START: Duration = Duration::from_secs(2);

/// A time without one of the parties, in times since 1970.
#[derive(Clone, Copy, Debug)]
struct Absence {
    outage: Outage,
    from: Duration,
    /// The end of the absence; `None` while it lasts.
    to: Option<Duration>,
}

/// Everything that was done to the parties.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    began: Duration,
    absences: Vec<Absence>,
}

/// Returns the time since 1970, as the servers count it.
pub(super) fn now() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("it is later than 1970")
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self {
            began: now(),
            absences: Vec::new(),
        }
    }

    pub(super) fn began(&self) -> Duration {
        self.began
    }

    pub(super) fn stopped(&mut self, outage: Outage) {
        self.absences.push(Absence {
            outage,
            from: now(),
            to: None,
        });
    }

    pub(super) fn started(&mut self, party: Party) {
        let gone = |absence: &&mut Absence| absence.outage.party == party && absence.to.is_none();
        if let Some(absence) = self.absences.iter_mut().rev().find(gone) {
            absence.to = Some(now());
        }
    }

    /// Returns how often the exporter was killed.
    pub(super) fn kills(&self) -> usize {
        let killed = |absence: &&Absence| {
            absence.outage.party == Party::Exporter && absence.outage.signal == Signal::Kill
        };
        self.absences.iter().filter(killed).count()
    }

    /// Returns how often the proxy was ended.
    pub(super) fn proxy_restarts(&self) -> usize {
        let is_proxy = |absence: &&Absence| absence.outage.party == Party::Proxy;
        self.absences.iter().filter(is_proxy).count()
    }

    /// Returns the longest time that it took to replace the exporter, its last call
    /// included.
    pub(super) fn longest_replacement(&self) -> Duration {
        let replaced = self
            .absences
            .iter()
            .filter(|absence| absence.outage.is_replacement());
        let lasted = replaced.map(|absence| {
            absence
                .to
                .map_or(Duration::ZERO, |to| to.saturating_sub(absence.from))
        });
        lasted.max().unwrap_or_default()
    }

    /// Returns the times in which one of these parties was away. Times without room for a
    /// scrape between them are one.
    pub(super) fn away(&self, parties: &[Party], interval: Duration) -> Vec<(Duration, Duration)> {
        let mut stretches: Vec<(Duration, Duration)> = Vec::new();
        for absence in &self.absences {
            let (true, Some(to)) = (parties.contains(&absence.outage.party), absence.to) else {
                continue;
            };
            let to = to + START;
            match stretches.last_mut() {
                Some(last) if absence.from <= last.1 + interval => last.1 = last.1.max(to),
                _ => stretches.push((absence.from, to)),
            }
        }
        stretches
    }
}

/// Returns how much of a time is within other times.
pub(super) fn overlap(times: &[(Duration, Duration)], from: Duration, to: Duration) -> Duration {
    times
        .iter()
        .map(|(begin, end)| (*end).min(to).saturating_sub((*begin).max(from)))
        .sum()
}

/// Returns the longest part of a time that is within none of other times, which are in the
/// order of their beginnings.
pub(super) fn longest_between(
    times: &[(Duration, Duration)],
    from: Duration,
    to: Duration,
) -> Duration {
    let mut longest = Duration::ZERO;
    let mut since = from;
    for (begin, end) in times.iter().copied().chain([(to, to)]) {
        longest = longest.max(begin.min(to).saturating_sub(since));
        since = since.max(end);
    }
    longest
}

impl fmt::Display for Timeline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for absence in &self.absences {
            let from = absence.from.saturating_sub(self.began).as_secs_f64();
            let lasted = absence
                .to
                .map(|to| to.saturating_sub(absence.from).as_secs_f64());
            let Outage { party, signal, .. } = absence.outage;
            write!(formatter, "  {from:7.1} s  {party:?}: {signal:?}, ")?;
            match lasted {
                Some(lasted) => writeln!(formatter, "started again after {lasted:.1} s")?,
                None => writeln!(formatter, "not started again")?,
            }
        }
        Ok(())
    }
}
