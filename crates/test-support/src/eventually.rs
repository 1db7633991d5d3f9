//! Waiting for a condition instead of for a time.

use std::thread;
use std::time::{Duration, Instant};

/// Between two looks: short beside any deadline, long beside a look.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until `look` has an answer; past the deadline, panics with what it said last.
pub fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut look: impl FnMut() -> Result<T, String>,
) -> T {
    let started = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) if started.elapsed() >= deadline => {
                panic!("no {what} within {deadline:?}; last: {last}")
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

/// Looks until it holds or the deadline has passed; for what is judged later.
pub fn reached(deadline: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() >= deadline {
            return false;
        }
        thread::sleep(PAUSE);
    }
    true
}
