//! Visits every history of small scopes with the gate and the ledger that ship, and checks
//! what they promise.
//!
//! A scope says what may happen, and how often. The search goes from the state in which the
//! scope begins to every state that can be reached, by everything that may happen next, in
//! every order. States of which every future is the same are visited once. Time is an
//! argument of the gate and the ledger, and moves by ticks of up to a scrape interval.
//!
//! # What happens
//!
//! Two servers scrape one exporter, which counts events in two series of one event type.
//! In every tick, each server whose scrape is due scrapes once, and the exporter commits
//! whatever there is to commit; both at any moment. Beside that, at any moment:
//!
//! - Events are counted, several at once or one after the other.
//! - The process crashes: before a commit is durable, between that and showing it, or later;
//!   before a server has the answer, or between that and recording it. A process starts in
//!   the same tick, in the next one, or after a long outage.
//! - An answer that was sent whole is lost, so that the gate has recorded it. An answer is
//!   cut off, so that the gate has not. An answer is made before a commit is shown, and sent
//!   after it.
//! - The process is told to end. It shows the commit under way, waits until the servers that
//!   it knows were sent what is shown, and starts again under another name.
//! - A server goes away, for good or for some time.
//!
//! [`SCOPES`] lists the scopes. The largest has 2 servers, 2 series, 3 events, 2 crashes, a
//! lost answer and a last call. In two others, the process crashes as often as it can.
//!
//! # What is claimed
//!
//! Safety, in every step:
//!
//! - No answer shows a value that is not durable. No durable value falls, and none that a
//!   server sees. No more is published than counted.
//! - For each server and counter, the increases between the answers that it received are
//!   what was published since its first answer, less what is counted as gate timeouts. A
//!   counter that the first answer did not have begins at 0. Over a change of the name, the
//!   first value under the new name is the last under the old one.
//! - No value changes until H after the first scrape that follows a start, or a time
//!   without scrapes, except what a bound lets through, which is counted.
//! - A new series that is shown although the gate waited for a server that is away is
//!   counted, if not both servers went away.
//!
//! Liveness:
//!
//! - In every history, no stored event of a series that was seen waits for two holds, and
//!   none of a new series for ten minutes, as soon as a process runs and has looked at the
//!   gate. Of an outage of the exporter that is longer than ten minutes, a minute counts,
//!   and of a time in which no server scrapes a process, H.
//! - From every state, if nothing fails any more and every server that is there scrapes,
//!   every event is shown to and seen by all of them in the end.
//!
//! # What is assumed
//!
//! - Where the number of crashes has no limit, a process lives until it has committed once.
//! - A server does not miss two answers in a row while the gate does not know its interval,
//!   nor before its first answer under another name.
//! - At a last call, the gate knows the intervals of the servers, each of them has the time
//!   to scrape once more, and the last answer before the end is not lost.
//! - A server that was away for longer than ten minutes begins anew. If the exporter starts
//!   after that time, it does not count what it shows without that server.
//! - A poll succeeds in each tick, so that the intervals that are known are stored.
//! - A commit and an answer end in the tick in which they begin.
//!
//! # How the test is tested
//!
//! - [`Fault`] lists deliberate faults in how the process is put together. The search finds
//!   each of them, and prints a shortest history that shows it.
//! - States are compared by a hash of what can still have an effect of them. The futures of
//!   states with one hash are compared step by step.
//!
//! # How to run it
//!
//! An ordinary run visits the small scopes, which takes seconds without optimization.
//! `make every-history` visits all of them, with optimization, which takes minutes and up to
//! 3 GB of memory. `HISTORY_SCOPE` is a part of the names of the scopes to visit.
//!
//! The search is written here, and no library for model checking is used: such a library
//! compares and hashes states, which the gate and the ledger cannot do, since they hold times
//! that only rise.

mod action;
mod answers;
mod debug_text;
mod fault;
mod fields;
mod fingerprint;
mod process;
mod scope;
mod search;
mod state;
mod step;

use std::{env, time::Instant};

use fault::Fault;
use scope::{SCOPES, Scope, Size};
use search::{Found, same_futures, search};

/// Each deliberate fault, the scope in which it is found, and words of the claim that does
/// not hold.
const FOUND: [(Fault, &str, &str); 9] = [
    (Fault::ShownBeforeDurable, "a crash", "falls"),
    (
        Fault::SecondServerUnknown,
        "a server that is away",
        "not counted",
    ),
    (Fault::UnstoredShown, "first servers", "misses"),
    (Fault::CutCountsAsServed, "cut answers", "misses"),
    (Fault::NewestRecorded, "missed answers", "misses"),
    (Fault::ScrapersForgotten, "a crash", "all series are gone"),
    (Fault::WaitsForgotten, "crash loop", "has waited"),
    (Fault::LastCallSkipped, "last call", "misses"),
    (Fault::LastCommitNotShown, "last call", "misses"),
];

/// Of how many fingerprints one is compared in an ordinary run, since comparing takes long.
const SAMPLE: u64 = 8;

/// Returns `true` if the time that all of it takes was asked for.
fn visits_all() -> bool {
    env::var_os("EVERY_HISTORY").is_some()
}

fn scope(name: &str) -> Scope {
    let mut scopes = SCOPES.into_iter();
    scopes.find(|scope| scope.name == name).expect("a scope")
}

/// Visits every state of a scope, and prints what was found.
#[expect(clippy::print_stdout, reason = "the output says what was covered")]
#[expect(clippy::disallowed_methods, reason = "it is the test that takes time")]
fn visit(scope: &Scope) -> Found {
    let begun = Instant::now();
    let found = search(scope);
    println!("{}: {found}, in {:.1?}", scope.name, begun.elapsed());
    found
}

#[test]
fn every_claim_holds_in_every_history() {
    let name = env::var("HISTORY_SCOPE").unwrap_or_default();
    let is_wanted =
        |scope: &&Scope| scope.name.contains(&name) && (visits_all() || scope.size == Size::Small);
    for scope in SCOPES.iter().filter(is_wanted) {
        let found = visit(scope);
        assert!(
            found.broken.is_none(),
            "{}: {}",
            scope.name,
            found.history()
        );
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the output shows the histories")]
fn each_deliberate_fault_is_found() {
    for (fault, name, claim) in FOUND {
        let found = search(&scope(name).with(fault));
        println!("{fault:?}, {found}:\n{}\n", found.history());
        let broken = found.broken.expect("a fault that is not found");
        assert!(
            broken.claim.contains(claim),
            "{fault:?} breaks another claim: {}",
            broken.claim
        );
    }
}

#[test]
fn states_of_one_fingerprint_have_the_same_futures() {
    let compared = if visits_all() { 1 } else { SAMPLE };
    for scope in SCOPES.iter().filter(|scope| scope.size == Size::Small) {
        let different = same_futures(scope, compared);
        assert!(
            different.is_none(),
            "{}: {}",
            scope.name,
            different.unwrap_or_default()
        );
    }
}

#[test]
fn a_search_finds_the_same_again() {
    let scope = scope("cut answers");
    let [first, second] = [search(&scope), search(&scope)];
    assert_eq!(first.to_string(), second.to_string());
}
