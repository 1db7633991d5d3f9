//! A process that stores commit after commit is killed again and again: the store
//! always holds the last commit that the process reported, or the next one.

use std::{path::Path, time::Duration};

use fastrand::Rng;
use test_support::pacing;
use test_support::store::{child, child::Process, directory, numbered::Numbered, open, say, told};

/// The number of kills, unless `STORE_KILLS` says otherwise.
const KILLS: u64 = 200;
/// The longest time from the awaited line to the kill, in which a process makes a few
/// commits.
const LIFE_MICROS: u64 = 12_000;

/// The process that is killed.
#[test]
fn child() {
    child::main();
}

/// Returns the number of the commit in a line of the process.
fn commit_in(said: &str) -> Option<u64> {
    said.strip_prefix("committed ")?.parse().ok()
}

/// Starts a process, kills it, and returns the number of the last commit that it
/// reported. Some processes are killed while they start, some while they open the
/// state.
fn start_and_kill(directory: &Path, random: &mut Rng) -> Option<u64> {
    let mut process = Process::start(directory);
    process.tell("on and on");
    let waits_for = random.u8(..8).min(2);
    let mut last = None;
    for _ in 0..waits_for {
        last = process.hear();
    }
    pacing::wait(Duration::from_micros(random.u64(..LIFE_MICROS)));
    let last = process.kill().or(last);
    last.as_deref().and_then(commit_in)
}

/// Advances `expected` to the reported commit, or to the next one if the store holds
/// that. Returns how many commits the store holds that were not reported.
fn catch_up(expected: &mut Numbered, spoken: Option<u64>, directory: &Path) -> u64 {
    while expected.number < spoken.unwrap_or(0) {
        expected.advance();
    }
    let mut store = open(directory);
    if expected.is_in(&mut store) {
        return 0;
    }
    expected.advance();
    assert!(
        expected.is_in(&mut store),
        "the store holds neither commit {spoken:?} nor the next one, but {}",
        Numbered::resume(&mut store).number
    );
    1
}

#[test]
fn a_kill_at_any_moment_leaves_the_last_commit_or_the_next() {
    let seed = told("STORE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = told("STORE_KILLS").unwrap_or(KILLS);
    say(&format!("STORE_SEED={seed} STORE_KILLS={kills}"));
    let mut random = Rng::with_seed(seed);
    let mut expected = Numbered::new();
    let (mut early, mut unspoken) = (0, 0);
    let directory = directory();
    for _ in 0..kills {
        let spoken = start_and_kill(directory.path(), &mut random);
        early += u64::from(spoken.is_none());
        unspoken += catch_up(&mut expected, spoken, directory.path());
    }
    let commits = expected.number;
    say(&format!(
        "{early} killed before a first commit, {unspoken} after one that was not spoken of, \
         {commits} commits"
    ));
    assert!(commits > kills / 2, "too few commits");
}

#[test]
fn a_kill_while_the_state_is_made_leaves_all_of_it_or_nothing() {
    let seed = told("STORE_SEED").unwrap_or_else(|| fastrand::u64(..));
    say(&format!("STORE_SEED={seed}"));
    let mut random = Rng::with_seed(seed);
    for _ in 0..told("STORE_KILLS").unwrap_or(KILLS) / 8 {
        let above = directory();
        let data = above.path().join("data");
        let process = Process::start(&data);
        pacing::wait(Duration::from_micros(random.u64(..2 * LIFE_MICROS)));
        process.kill();
        assert!(Numbered::new().is_in(&mut open(&data)));
    }
}
