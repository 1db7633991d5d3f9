//! The moments at which a test or a benchmark does something to a program: kills it at
//! random, takes it away by a plan, scrapes it at an interval.
//!
//! This is not for waiting until the program has done something: see
//! [`crate::eventually`].

use std::thread;
use std::time::Duration;

/// Waits for `span` before the caller does the next thing.
pub fn wait(span: Duration) {
    thread::sleep(span);
}
