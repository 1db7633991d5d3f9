//! Visits every history of small scopes with the gate and the ledger that ship, and checks
//! what they promise.
//!
//! A scope says what may happen and how often: events, crashes, answers that are lost or cut
//! off, ends of the process, absences of servers. The search goes from the state in which
//! the scope begins to every state that can be reached, by everything that may happen next,
//! in every order. A state is visited once, so histories that lead to the same state have
//! one future. Time is an argument of the gate and the ledger, and moves by ticks.
//!
//! # What happens
//!
//! Two servers scrape one exporter, which counts events in two series of one event type.
//! In every tick each server whose scrape is due scrapes once, and the exporter commits
//! whatever there is to commit; both at any moment. Beside that, at any moment:
//!
//! - Events are counted, several at once or one after the other.
//! - The process crashes: before a commit is durable, after that and before it is shown, or
//!   later; before a server has the answer, or after that and before the gate recorded it.
//!   It starts again in the same tick, in a later one, or after a long outage.
//! - An answer that was sent whole is lost, and the gate has recorded it. An answer is cut
//!   off, and the gate has not recorded it. An answer is made before a commit is shown, and
//!   sent after it.
//! - The process is told to end. It shows the commit under way, waits until the servers that
//!   it knows have fetched what is shown, and starts again under another name.
//! - A server goes away, for good or for some time.
//!
//! `SCOPES` lists the scopes. In one of them the process crashes as often as it can.
//!
//! # What is claimed
//!
//! Safety, in every step:
//!
//! - No answer shows a value that is not durable. No durable value falls, and none that a
//!   server sees. No more is published than counted.
//! - For each server and counter, the increases between the answers that it received are
//!   all that was published since its first answer, less what is counted as gate timeouts.
//!   A counter that its first answer did not have begins at 0. Over a change of the name,
//!   the last value under the old name is the first under the new one.
//! - No value changes until H after the first scrape that follows a start, or a time
//!   without scrapes, except what a bound lets through, which is counted.
//! - A new series that is shown without waiting longer for a server that is away is counted.
//!
//! Liveness:
//!
//! - In every history, crashes or not, no stored event of a series that was seen waits for
//!   two holds, and none of a new series for ten minutes. Of an outage of the exporter that
//!   is longer than ten minutes, a minute counts.
//! - From every state, if nothing fails any more and every server that is there scrapes,
//!   every event is shown to and seen by all of them in the end.
//!
//! # What is assumed
//!
//! - A process lives long enough to commit once, where the number of crashes has no limit.
//! - A server does not miss two answers in a row while the gate does not know its interval,
//!   nor before its first answer under another name.
//! - At a last call, the gate knows the interval of each server, the servers have the time
//!   to scrape once more, and the very last answer is not lost.
//! - A server that was away for longer than ten minutes begins anew.
//! - A poll succeeds in each tick, so that the stored intervals are those that are known.
//!
//! # How the test is tested
//!
//! [`Fault`] lists deliberate faults in how the process is put together. The search finds
//! each of them, and prints a shortest history that shows it.
//!
//! # How to run it
//!
//! The tests visit the scopes that a build without optimization visits in seconds.
//! `make every-history` visits all scopes, in some minutes. `HISTORY_SCOPE` is a part of the name of the
//! scopes to visit. A search that is no library's keeps the states as they are, without a
//! copy of the gate that can be compared and hashed.

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
    (Fault::ShownBeforeDurable, "crashes", "falls"),
    (
        Fault::SecondServerUnknown,
        "a server that is away",
        "not counted",
    ),
    (Fault::UnstoredShown, "first servers", "misses"),
    (Fault::CutCountsAsServed, "cut answers", "misses"),
    (Fault::NewestRecorded, "missed answers", "misses"),
    (Fault::ScrapersForgotten, "crashes", "all series are gone"),
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
