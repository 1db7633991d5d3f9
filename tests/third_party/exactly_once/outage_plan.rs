//! The outages of a run: which party, when, and how, all decided by a seed.

use std::time::Duration;

use fastrand::Rng;
use test_support::restartable::Signal;

/// The length of a stretch of time in which each party has one long outage.
const STRETCH: Duration = Duration::from_secs(45);

/// The shortest and the longest time of an outage, in seconds.
const OUTAGE: (f64, f64) = (3.0, 11.0);

/// The highest number of kills in a row. Between the rows there is time in which the
/// gate lets counts be shown.
const MOST_IN_A_ROW: usize = 4;
const ROW: Duration = Duration::from_secs(3);

/// The shortest and the longest time of a crash loop, in seconds.
const LOOP: (f64, f64) = (20.0, 40.0);
/// The shortest and the longest time between two kills of a crash loop, in seconds. Each
/// third loop is a slow one, which may leave time for the hold of the gate.
const LIFE: (f64, f64) = (1.0, 5.0);
const SLOW_LIFE: (f64, f64) = (5.0, 12.0);

/// The time without an outage of a server before and after the exporter is replaced: the
/// last call waits for servers that come.
const CALM: Duration = Duration::from_secs(15);
/// The time without a kill before each second replacement, so that the gate lets counts be
/// shown until the exporter ends. Before the others the exporter may have been killed.
const RUNNING: Duration = Duration::from_secs(25);
/// The time that a replacement may take.
const REPLACEMENT: Duration = Duration::from_secs(10);

/// A program of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    Api,
    /// The exporter. If it is ended in order, another one begins under the next address.
    Exporter,
    /// One of the two servers that scrape.
    Server(usize),
    /// The proxy through which the second server scrapes.
    Proxy,
}

/// An outage, in which a program is ended and started again. Times count from the
/// beginning of the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outage {
    pub(super) party: Party,
    pub(super) signal: Signal,
    pub(super) from: Duration,
    /// The end of the outage; the same as `from` if the program is started again at
    /// once.
    pub(super) to: Duration,
}

/// Everything that is done in a run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// All outages, in the order of their beginnings.
    pub(super) outages: Vec<Outage>,
    /// The number of crash loops, and of the kills in them.
    pub(super) loops: usize,
    pub(super) loop_kills: usize,
    /// The number of times that the exporter is replaced under another address.
    pub(super) replacements: usize,
    /// The times in which no single kill may be.
    occupied: Vec<(Duration, Duration)>,
}

/// What a stretch of time holds beside outages.
#[derive(Clone, Copy, Debug)]
enum Stretch {
    Ordinary,
    CrashLoop,
    Replacement,
}

/// The stretches of a long run, again and again.
const LONG_RUN: [Stretch; 4] = [
    Stretch::Ordinary,
    Stretch::CrashLoop,
    Stretch::Ordinary,
    Stretch::Replacement,
];

impl Outage {
    /// Returns `true` if the exporter is replaced under another address.
    pub(super) fn is_replacement(&self) -> bool {
        self.party == Party::Exporter && self.signal == Signal::Terminate
    }
}

impl Plan {
    /// Makes the plan of a run with so many single kills. A long run has crash loops and
    /// replacements too.
    pub(super) fn new(seed: u64, duration: Duration, kills: usize, is_long: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut plan = Self::default();
        let kinds: &[Stretch] = if is_long {
            &LONG_RUN
        } else {
            &[Stretch::Ordinary]
        };
        let mut kinds = kinds.iter().cycle();
        let mut from = Duration::ZERO;
        while from < duration {
            let to = (from + STRETCH).min(duration);
            let is_whole = to == from + STRETCH;
            let kind = kinds.next().filter(|_| is_whole);
            plan.add_stretch(&mut rng, *kind.unwrap_or(&Stretch::Ordinary), from, to);
            from = to;
        }
        plan.add_kills(&mut rng, duration, kills);
        plan.outages.sort_by_key(|outage| outage.from);
        plan
    }

    fn add_stretch(&mut self, rng: &mut Rng, kind: Stretch, from: Duration, to: Duration) {
        use Party::{Api, Exporter, Proxy, Server};
        let parties: &[Party] = match kind {
            Stretch::Ordinary => &[Api, Exporter, Server(0), Server(1), Proxy],
            Stretch::CrashLoop => &[Api, Server(0), Server(1), Proxy],
            Stretch::Replacement => &[Api],
        };
        let outages = long_outages(rng, parties, from, to);
        let of_exporter = outages.iter().filter(|outage| outage.party == Exporter);
        self.occupied
            .extend(of_exporter.map(|outage| (outage.from, outage.to)));
        self.outages.extend(outages);
        match kind {
            Stretch::Ordinary => {}
            Stretch::CrashLoop => self.add_loop(rng, from, to),
            Stretch::Replacement => self.add_replacement(rng, from, to),
        }
    }

    /// Adds kills of the exporter at about the same distance from each other.
    fn add_loop(&mut self, rng: &mut Rng, from: Duration, to: Duration) {
        let lasts = Duration::from_secs_f64(between(rng, LOOP));
        let begin = from + to.saturating_sub(from + lasts).mul_f64(rng.f64());
        let is_slow = self.loops % 3 == 2;
        let life = between(rng, if is_slow { SLOW_LIFE } else { LIFE });
        let mut at = begin;
        while at < begin + lasts {
            self.outages.push(kill(at));
            self.loop_kills += 1;
            at += Duration::from_secs_f64(life * between(rng, (0.8, 1.2)));
        }
        self.occupied.push((begin, begin + lasts));
        self.loops += 1;
    }

    fn add_replacement(&mut self, rng: &mut Rng, from: Duration, to: Duration) {
        let room = to.saturating_sub(from + CALM + CALM);
        let at = from + CALM + room.mul_f64(rng.f64());
        self.outages.push(Outage {
            signal: Signal::Terminate,
            ..kill(at)
        });
        let is_running = self.replacements.is_multiple_of(2);
        let running = if is_running { RUNNING } else { Duration::ZERO };
        self.occupied
            .push((at.saturating_sub(running), at + REPLACEMENT));
        self.replacements += 1;
    }

    fn add_kills(&mut self, rng: &mut Rng, duration: Duration, kills: usize) {
        let mut left = kills;
        while left > 0 {
            let burst = rng.usize(1..=MOST_IN_A_ROW).min(left);
            left -= burst;
            let kills = kills_in_a_row(rng, duration, burst, &self.occupied);
            self.outages.extend(kills);
        }
    }
}

/// Returns one outage of each party. Two of them, chosen at random, overlap.
fn long_outages(rng: &mut Rng, parties: &[Party], from: Duration, to: Duration) -> Vec<Outage> {
    let mut parties = parties.to_vec();
    rng.shuffle(&mut parties);
    let mut outages: Vec<_> = parties
        .into_iter()
        .map(|party| long_outage(rng, party, from, to))
        .collect();
    if let [first, second, ..] = outages.as_mut_slice() {
        let lasts = second.to.saturating_sub(second.from);
        second.from = first.from + first.to.saturating_sub(first.from) / 2;
        second.to = (second.from + lasts).min(to);
    }
    outages
}

fn between(rng: &mut Rng, (least, most): (f64, f64)) -> f64 {
    least + (most - least) * rng.f64()
}

fn long_outage(rng: &mut Rng, party: Party, from: Duration, to: Duration) -> Outage {
    let lasts = Duration::from_secs_f64(between(rng, OUTAGE));
    let latest = to.saturating_sub(lasts).max(from);
    let from = from + latest.saturating_sub(from).mul_f64(rng.f64());
    Outage {
        party,
        signal: signal(rng, party),
        from,
        to: (from + lasts).min(to),
    }
}

/// Returns how a party is ended: the exporter and the API are killed; a server and the
/// proxy may end in order.
fn signal(rng: &mut Rng, party: Party) -> Signal {
    let may_end_in_order = matches!(party, Party::Server(_) | Party::Proxy);
    if may_end_in_order && rng.bool() {
        Signal::Terminate
    } else {
        Signal::Kill
    }
}

/// Returns kills of the running exporter, which is started again at once each time, as
/// a supervisor would start it, before or just after it has served a scrape.
fn kills_in_a_row(
    rng: &mut Rng,
    duration: Duration,
    kills: usize,
    occupied: &[(Duration, Duration)],
) -> Vec<Outage> {
    let is_occupied = |at: &Duration| {
        let mut times = occupied.iter();
        times.any(|(from, to)| (from..=to).contains(&at))
    };
    loop {
        let first = duration.mul_f64(rng.f64());
        let moments: Vec<_> = (0..kills).map(|_| first + ROW.mul_f64(rng.f64())).collect();
        if moments.iter().all(|at| *at < duration && !is_occupied(at)) {
            return moments.into_iter().map(kill).collect();
        }
    }
}

fn kill(at: Duration) -> Outage {
    Outage {
        party: Party::Exporter,
        signal: Signal::Kill,
        from: at,
        to: at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_AN_HOUR: Duration = Duration::from_mins(30);

    fn plans() -> impl Iterator<Item = Plan> {
        (0..50).map(|seed| Plan::new(seed, HALF_AN_HOUR, 150, true))
    }

    #[test]
    fn no_server_is_away_while_the_exporter_is_replaced() {
        for plan in plans() {
            let (replacements, others): (Vec<&Outage>, Vec<&Outage>) = plan
                .outages
                .iter()
                .partition(|outage| outage.is_replacement());
            assert_eq!(replacements.len(), plan.replacements);
            assert_eq!(plan.replacements, 10);
            for replacement in replacements {
                let near = |outage: &&&Outage| {
                    outage.to + CALM > replacement.from && outage.from < replacement.from + CALM
                };
                let parties = others.iter().filter(near).map(|outage| outage.party);
                let away: Vec<_> = parties
                    .filter(|party| ![Party::Exporter, Party::Api].contains(party))
                    .collect();
                assert_eq!(away, []);
            }
        }
    }

    #[test]
    fn the_exporter_is_killed_only_while_it_runs() {
        for plan in plans() {
            assert_eq!(plan.loops, 10);
            let outages = plan.outages.iter();
            let of_exporter: Vec<_> = outages
                .filter(|outage| outage.party == Party::Exporter)
                .collect();
            for outage in &of_exporter {
                let ended = |other: &&&Outage| {
                    (outage.from..outage.to).contains(&other.from) && other != &outage
                };
                assert_eq!(of_exporter.iter().find(ended), None);
            }
        }
    }
}
