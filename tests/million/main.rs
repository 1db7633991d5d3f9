//! Runs many short histories of the whole exporter in a simulated world, and checks what
//! the exporter promises.
//!
//! The poller, window, ledger, gate and exposition are those that ship. `Poller` is generic
//! over the API, the storage and the clock; this test passes it models of them, so that
//! even the sleep between two polls is simulated. Models of the servers that scrape read
//! the exposition. Everything in a history follows from one seed, and the process may die
//! at every await.
//!
//! # What happens in a history
//!
//! - Events share a second, appear late or are shown twice. The list has either order or
//!   none, and pages shift while they are read. Some elements have no id. In a few
//!   histories so many events come within a few minutes that they are read in pieces.
//! - Requests fail for every reason. Some answers are cut off, empty, or without the time
//!   of the API.
//! - The clocks of the API and of the exporter's machine are wrong by up to an hour, and
//!   jump.
//! - A commit fails before or after it is durable. The process crashes, and stays down for
//!   up to 20 minutes.
//! - The process crashes again and again at a period from a second to minutes, and is started
//!   after ever longer times. It is replaced under another name after a last call. The disk
//!   is put back to an older copy.
//! - Servers scrape at intervals from 1 s to 60 s. Scrapes are late, take their whole time
//!   limit, or are missed, and answers are lost or cut. Servers go away, leave for good and
//!   are followed by others, state no time limit, or share an address or connections.
//! - Strangers send requests that look like scrapes, with time limits of up to 10^9 seconds.
//!
//! # What is claimed of each history
//!
//! - The durable totals never fall and are never above what the API has recorded. In the
//!   end they equal what it has recorded, for each series and each type. No event from
//!   before the start of counting is counted.
//! - No scrape shows a value that is not committed.
//! - For each server, the samples that it received show no series that goes away or falls.
//!   A series that the first sample did not have begins at 0. The sum of all increases,
//!   `last − first`, is what the API has recorded less what the first sample showed.
//!   Events from before the first start of the exporter are part of the first sample.
//! - The two samples around a step are no further apart than H of the longest interval in
//!   use, or of 60 s if that is longer, since 60 s are assumed while intervals are learned.
//!   That is at most 130 s. After an outage of the exporter, or after a time in which no
//!   server scraped, a server sees the old values before it sees a step.
//!
//! - An event that is durable is published within two holds if its series was seen, and
//!   within 10 minutes if its series is new. The time counts in which the process runs, the
//!   disk works and a server is answered: see `liveness`. In a calm without faults, a new
//!   series waits for two holds and 75 seconds, whatever strangers send.
//! - Where a bound let an event through, the durable count of such events says so: no server
//!   misses more increases than that.
//! - A server that changes the name of its target is told, and after a last call the first
//!   sample under the new name equals the last one under the old name.
//!
//! # What is assumed
//!
//! Each of these assumptions is an exception in the code:
//!
//! - A server does not lose two answers in a row, not even with an absence between them.
//! - A server that is away while others scrape sees all steps of that time as one step.
//! - A value that was decided to be shown before all servers went away, or before the
//!   exporter died, may be a step over that outage. `Tally::steps_over_outage` counts such
//!   steps.
//! - A server that is away for longer than `LONGEST_ABSENCE` while the exporter is up may
//!   see a new series begin above 0, and may then be shown no events in one scrape.
//! - A server whose interval the exporter cannot know yet (see `known_clients`) may see a new
//!   series begin above 0, and a step over an outage, if H may be too short for it: another
//!   server has a shorter interval, and none is set. After an absence it may see a new series
//!   begin above 0 in any case.
//! - A server whose place another server may have taken may see a new series begin above 0,
//!   and a step over its absence. Every server may see a new series begin above 0 while more
//!   clients come than the exporter remembers.
//! - After an older copy of the disk is put back, only the last values are claimed.
//! - Servers that share address and user agent keep their connections and are not away. If
//!   their intervals differ, `--metrics.scrape-interval` is set to the longest.
//! - Without deep sweeps, an event appears within the lookback. With deep sweeps, it appears
//!   within the range that they read after the longest outage.
//! - A burst of more events than one piece holds comes from an API that shows no more than
//!   5 seconds of events before a range. Otherwise every second of the burst is read with
//!   all of its events, which takes hours if the API is slow.
//!
//! # How the test is tested
//!
//! [`Mutant`] lists deliberate faults. Each of them must be caught within a hundred seeds; see
//! [`CAUGHT`].
//!
//! # How to run it
//!
//! `make million` runs 100,000 histories. `MILLION_HISTORIES` sets their number, and
//! `MILLION_FROM` the first seed. A history that fails prints its seed and what happened.
//! `MILLION_SEED` runs the history of one seed. `MILLION_GO_ON` goes on after a failure and
//! lists every seed that fails.

mod api;
mod clock;
mod disk;
mod history;
mod known_clients;
mod liveness;
mod mutant;
mod plan;
mod process;
mod sample;
mod scraper;
mod tally;
mod world;

use std::{
    env,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use nexmo_audit_exporter::{
    api::REASONS,
    metrics::{AccountMetrics, ProcessMetrics},
};

use history::Outcome;
use mutant::Mutant;
use plan::Plan;
use tally::Tally;

/// The number of histories without `MILLION_HISTORIES`: as many as a build without
/// optimization runs in less than a minute.
const HISTORIES: u64 = 300;

/// Each deliberate fault, the first seed that catches it, and words of the claim that does
/// not hold.
const CAUGHT: [(Mutant, u64, &str); 17] = [
    (Mutant::ShowBeforeCommit, 1, "is committed"),
    (Mutant::WindowFirst, 6, "not every event was seen"),
    (Mutant::GateOff, 1, "begins at"),
    (Mutant::HoldForOneScraper, 31, "begins at"),
    (Mutant::NoLookback, 7, "not every event was seen"),
    (Mutant::NumberTrusted, 11, "not every event was seen"),
    (Mutant::CountersInMemory, 1, "the durable total falls"),
    (Mutant::IdsInMemory, 1, "counted of"),
    (Mutant::ScrapersInMemory, 1, "all series are gone"),
    (Mutant::NoStandstill, 1, "over an outage"),
    (Mutant::WaitsInMemory, 11, "in spite of the bound"),
    (Mutant::TimeoutsInMemory, 1, "over an outage"),
    (Mutant::CutIsServed, 7, "begins at"),
    (Mutant::StrangersAreServers, 2, "in a calm"),
    (Mutant::NoSuccessor, 3, "in a calm"),
    (Mutant::NoLastCall, 21, "before the replacement"),
    (Mutant::HoldGrowthStops, 10, "although it was seen"),
];

/// Seeds beyond those that are run for each change which have found a fault of the exporter.
const FOUND: [u64; 3] = [13_605, 24_612, 56_125];

type Failure = (u64, String);

fn metrics() -> Arc<AccountMetrics> {
    let process = ProcessMetrics::new().expect("a registry");
    Arc::new(AccountMetrics::new(REASONS, &process))
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("a whole number"))
}

/// Runs the histories of `seeds` on every core until a history fails. With
/// `MILLION_GO_ON`, and without a mutant, it runs all of them. Returns the failures in the
/// order of their seeds.
fn run(seeds: Range<u64>, mutant: Option<Mutant>) -> (Tally, Vec<Failure>) {
    let next = AtomicU64::new(seeds.start);
    let result = Mutex::new((Tally::default(), Vec::new()));
    let goes_on = env::var_os("MILLION_GO_ON").is_some();
    let work = || {
        let metrics = metrics();
        let mut tally = Tally::default();
        while let seed = next.fetch_add(1, Ordering::Relaxed)
            && seed < seeds.end
        {
            let outcome = history::run(Plan::draw(seed, mutant), &metrics, false);
            tally += outcome.tally;
            let Some(claim) = outcome.broken else {
                continue;
            };
            result.lock().expect("no panic").1.push((seed, claim));
            if !goes_on {
                next.store(seeds.end, Ordering::Relaxed);
            }
        }
        result.lock().expect("no panic").0 += tally;
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (tally, mut failures) = result.into_inner().expect("no panic");
    failures.sort_unstable();
    (tally, failures)
}

/// Runs one history and records what happens in it.
fn replay(seed: u64) -> Outcome {
    history::run(Plan::draw(seed, None), &metrics(), true)
}

#[test]
#[expect(clippy::print_stdout, reason = "the output says what was covered")]
fn every_claim_holds_in_every_history() {
    if let Some(seed) = number("MILLION_SEED") {
        let outcome = replay(seed);
        println!(
            "{:#?}\n{}",
            Plan::draw(seed, None),
            outcome.trace.join("\n")
        );
        assert_eq!(outcome.broken, None, "seed {seed}");
        return;
    }
    let begun = Instant::now();
    let from = number("MILLION_FROM").unwrap_or(0);
    let count = number("MILLION_HISTORIES").unwrap_or(HISTORIES);
    let (tally, failures) = run(from..from + count, None);
    println!("{tally}\nin {:.0?}", begun.elapsed());
    let Some((seed, claim)) = failures.first() else {
        return;
    };
    if failures.len() == 1 {
        println!("{}", replay(*seed).trace.join("\n"));
    }
    for (seed, claim) in &failures {
        println!("seed {seed}: {claim}");
    }
    panic!("seed {seed}: {claim}\n(MILLION_SEED={seed} runs it alone)");
}

#[test]
fn every_claim_holds_where_a_fault_was_once_found() {
    for seed in FOUND {
        let outcome = history::run(Plan::draw(seed, None), &metrics(), false);
        assert_eq!(outcome.broken, None, "seed {seed}");
    }
}

#[test]
fn each_deliberate_fault_is_caught_within_a_hundred_seeds() {
    let mut caught = Vec::new();
    for (mutant, _, by) in CAUGHT {
        let (_, failures) = run(0..100, Some(mutant));
        let Some((seed, claim)) = failures.first() else {
            panic!("{mutant:?} is not caught");
        };
        let by = if claim.contains(by) { by } else { claim };
        caught.push((mutant, *seed, by.to_owned()));
    }
    let expected = CAUGHT.map(|(mutant, seed, by)| (mutant, seed, by.to_owned()));
    assert_eq!(
        caught, expected,
        "left: the seeds that catch the faults now"
    );
}

#[test]
fn a_history_follows_from_its_seed() {
    for seed in 0..10 {
        assert_eq!(replay(seed).trace, replay(seed).trace, "seed {seed}");
    }
}
