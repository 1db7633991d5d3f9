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

/// A program of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    Api,
    Exporter,
    /// One of the two servers that scrape.
    Server(usize),
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

/// Returns all outages, in the order of their beginnings.
pub(super) fn outages(seed: u64, duration: Duration, kills: usize) -> Vec<Outage> {
    let mut rng = Rng::with_seed(seed);
    let mut outages = Vec::new();
    let mut from = Duration::ZERO;
    while from < duration {
        let to = (from + STRETCH).min(duration);
        outages.extend(long_outages(&mut rng, from, to));
        from = to;
    }
    let mut left = kills;
    while left > 0 {
        let burst = rng.usize(1..=MOST_IN_A_ROW).min(left);
        left -= burst;
        let kills = kills_in_a_row(&mut rng, duration, burst, &outages);
        outages.extend(kills);
    }
    outages.sort_by_key(|outage| outage.from);
    outages
}

/// Returns one outage of each party. Two of them, chosen at random, overlap.
fn long_outages(rng: &mut Rng, from: Duration, to: Duration) -> Vec<Outage> {
    let mut parties = [
        Party::Api,
        Party::Exporter,
        Party::Server(0),
        Party::Server(1),
    ];
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

fn long_outage(rng: &mut Rng, party: Party, from: Duration, to: Duration) -> Outage {
    let (shortest, longest) = OUTAGE;
    let lasts = Duration::from_secs_f64(shortest + (longest - shortest) * rng.f64());
    let latest = to.saturating_sub(lasts).max(from);
    let from = from + latest.saturating_sub(from).mul_f64(rng.f64());
    Outage {
        party,
        signal: signal(rng, party),
        from,
        to: (from + lasts).min(to),
    }
}

/// Returns how a party is ended: the exporter and the API are killed; a server may end
/// in order.
fn signal(rng: &mut Rng, party: Party) -> Signal {
    let may_end_in_order = matches!(party, Party::Server(_));
    if may_end_in_order && rng.bool() {
        Signal::Terminate
    } else {
        Signal::Kill
    }
}

/// Returns kills of the running exporter, which is started again at once each time, as
/// a supervisor would start it, before or just after it has served a scrape.
fn kills_in_a_row(rng: &mut Rng, duration: Duration, kills: usize, down: &[Outage]) -> Vec<Outage> {
    let is_down = |at: &Duration| {
        let covers = |outage: &Outage| (outage.from..=outage.to).contains(at);
        down.iter()
            .any(|outage| outage.party == Party::Exporter && covers(outage))
    };
    loop {
        let first = duration.mul_f64(rng.f64());
        let moments: Vec<_> = (0..kills).map(|_| first + ROW.mul_f64(rng.f64())).collect();
        if moments.iter().all(|at| *at < duration && !is_down(at)) {
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
