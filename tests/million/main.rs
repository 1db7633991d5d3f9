//! The whole exporter in a simulated world, by the million.
//!
//! The real collector, window, ledger, gate and exposition run against a model of
//! the API, of the disk, of the clocks and of the servers that scrape. Time is
//! simulated, everything follows from one seed, and at every await the process may
//! die. Only the few lines of `Poller` that decide when to poll are written again,
//! in `process.rs`.
//!
//! What happens: events that share a second, appear late, are shown twice, in
//! either order or in none, and shift between pages; a crowd that is read in
//! pieces; elements without an id; every failure of the API, answers that are cut,
//! empty or without their time; clocks that are wrong by an hour, and jump; commits
//! that fail before or after they are durable; crashes, and outages of up to 20
//! minutes; servers with intervals from 1 s to 60 s that come late, miss scrapes,
//! take their time limit, lose answers, go away and share an address.
//!
//! What is claimed of each history:
//! - Durable totals never fall, are never more than what the API has recorded, and
//!   in the end are that, by series and by type. Nothing from before the start
//!   counts.
//! - No scrape shows what is not committed.
//! - For each server, by the samples that it received: no series goes away or
//!   falls; a series that its first sample did not have begins at 0; the sum of all
//!   increases, which is `last − first`, is what the API recorded less what the
//!   first sample showed; history from before the first start is no increase.
//! - The two samples around a step are no further apart than H of the longest
//!   interval (or of 60 s, while intervals are learned): 130 s at most. An outage
//!   of the exporter, or of everyone who scrapes, ends with the old values.
//!
//! What is assumed, and so excepted by name in the code:
//! - A server loses no two answers in a row, not even with an absence between them.
//! - A server that is away while others scrape sees the steps of that time as one.
//! - What was decided to be shown before everyone went away, or before the exporter
//!   died, is a step over that outage: `Tally::steps_over_outage`.
//! - A server that is away for longer than `LONGEST_ABSENCE` while the exporter is up may
//!   see a new series begin above 0, and one scrape without events.
//! - Servers that share address and agent keep their connections and are not away;
//!   if their intervals differ, `--metrics.scrape-interval` says the longest.
//! - Without deep sweeps an event appears within the lookback; with them, within
//!   what they read after the longest outage.
//!
//! Each deliberate fault of `Mutant` is caught; see [`CAUGHT`].
//!
//! `make million` runs 100,000 histories. `MILLION_HISTORIES` says how many,
//! `MILLION_FROM` from which seed on. A seed that fails prints itself and what
//! happened; `MILLION_SEED` runs that one alone. `MILLION_GO_ON` lists all that
//! fail.

mod api;
mod clock;
mod disk;
mod history;
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

use nexmo_audit_exporter::{api::REASONS, metrics::AccountMetrics};

use history::Outcome;
use mutant::Mutant;
use plan::Plan;
use tally::Tally;

/// How many histories run unless `MILLION_HISTORIES` says: those that an
/// unoptimized build gets through in a few seconds.
const HISTORIES: u64 = 300;

/// Each deliberate fault, the first seed that catches it, and by what.
const CAUGHT: [(Mutant, u64, &str); 9] = [
    (Mutant::ShowBeforeCommit, 0, "is committed"),
    (Mutant::CursorFirst, 5, "not all was seen"),
    (Mutant::NoHold, 0, "begins at 1"),
    (Mutant::HoldUntilOneSawIt, 6, "begins at 1"),
    (Mutant::NoLookback, 0, "not all was seen"),
    (Mutant::CountersInMemory, 0, "the durable total falls"),
    (Mutant::IdsInMemory, 0, "counted of"),
    (Mutant::ScrapersInMemory, 0, "all series are gone"),
    (Mutant::GapUnnoticed, 9, "over an outage"),
];

type Failure = (u64, String);

fn metrics() -> Arc<AccountMetrics> {
    Arc::new(AccountMetrics::new(REASONS, None).expect("a registry"))
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().expect("a whole number"))
}

/// Runs the histories of these seeds on every core, until one fails.
fn run(seeds: Range<u64>, mutant: Option<Mutant>) -> (Tally, Vec<Failure>) {
    let next = AtomicU64::new(seeds.start);
    let result = Mutex::new((Tally::default(), Vec::new()));
    let goes_on = mutant.is_none() && env::var_os("MILLION_GO_ON").is_some();
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

/// Runs one history again, and writes down what happens.
fn replay(seed: u64) -> Outcome {
    history::run(Plan::draw(seed, None), &metrics(), true)
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "a person wants to know what was covered"
)]
fn by_the_million() {
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
fn each_deliberate_fault_is_caught_within_ten_seeds() {
    let mut caught = Vec::new();
    for (mutant, _, by) in CAUGHT {
        let (_, failures) = run(0..10, Some(mutant));
        let (seed, claim) = failures.first().expect("a fault that is not caught");
        assert!(
            claim.contains(by),
            "{mutant:?} is caught otherwise: {claim}"
        );
        caught.push((mutant, *seed, by));
    }
    assert_eq!(caught, CAUGHT, "left: by which seeds faults are caught now");
}
