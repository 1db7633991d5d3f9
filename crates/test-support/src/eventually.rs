//! Waiting for a condition instead of for a time.

use std::thread;
use std::time::{Duration, Instant};

/// The time between two looks: short beside any deadline, long beside a look.
const PAUSE: Duration = Duration::from_millis(50);

/// Returns what `look` finds. Past the deadline, panics with what `look` said last.
pub fn eventually<T>(what: &str, deadline: Duration, look: impl FnMut() -> Result<T, String>) -> T {
    repeat_until_ok(deadline, |_| PAUSE, look)
        .unwrap_or_else(|last| panic!("no {what} within {deadline:?}; last: {last}"))
}

/// Waits until a condition holds, or until the deadline has passed. Returns `true` if
/// it holds.
pub fn reached(deadline: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let look = || holds().then_some(()).ok_or(());
    repeat_until_ok(deadline, |_| PAUSE, look).is_ok()
}

/// Returns the first success of `look`, or its last error once the deadline has passed.
/// `pause` is given the time since the start, and returns the time until the next look.
pub fn repeat_until_ok<T, E>(
    deadline: Duration,
    pause: impl Fn(Duration) -> Duration,
    mut look: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let started = Instant::now();
    loop {
        let result = look();
        let elapsed = started.elapsed();
        if result.is_ok() || elapsed >= deadline {
            return result;
        }
        thread::sleep(pause(elapsed));
    }
}
