//! The clock of the API: the clock of the machine, shifted, or one that stands still.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// A clock that can be shifted or stopped while others read it.
pub(crate) struct ApiClock(Mutex<Mode>);

#[derive(Clone, Copy)]
enum Mode {
    Shifted(SignedDuration),
    Stopped(Timestamp),
}

impl ApiClock {
    /// Makes a clock that is ahead of the machine's by `offset`, or behind if negative.
    pub(crate) fn new(offset: SignedDuration) -> Self {
        Self(Mutex::new(Mode::Shifted(offset)))
    }

    pub(crate) fn now(&self) -> Timestamp {
        let mode = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match mode {
            Mode::Stopped(at) => at,
            Mode::Shifted(offset) => {
                let now = Timestamp::now();
                now.checked_add(offset).unwrap_or(now)
            }
        }
    }

    /// Lets the clock run, ahead of the machine's by `offset`.
    pub(crate) fn shift(&self, offset: SignedDuration) {
        self.set(Mode::Shifted(offset));
    }

    /// Makes the clock stand still at `time`.
    pub(crate) fn stop(&self, time: Timestamp) {
        self.set(Mode::Stopped(time));
    }

    fn set(&self, mode: Mode) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mode;
    }
}
