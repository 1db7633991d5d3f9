//! Calls that wait for a disk, on threads of their own. Such a call may never return, and is
//! then named in the log and on the landing page.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The time after which a call hangs. A disk that is merely slow answers earlier.
const HANGS_AFTER: Duration = Duration::from_secs(10);

/// The call of one thread that waits for a disk.
#[derive(Debug)]
pub(crate) struct DiskCall {
    /// The file, for messages.
    file: String,
    state: Mutex<CallState>,
}

#[derive(Debug, Default)]
struct CallState {
    /// The time at which the call began; `None` if there is none under way.
    begun: Option<Instant>,
    /// `true` from the moment in which it was noticed that a call hangs, until it was
    /// noticed that the call has returned.
    is_noticed: bool,
}

/// A change that [`DiskCall::notice`] finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noticed {
    /// A call hangs.
    Hangs,
    /// The call that hung has returned.
    Returned,
}

/// Ends a call, also if it panics.
struct EndOfCall<'a>(&'a DiskCall);

impl DiskCall {
    /// Returns the calls of a thread that waits for the disk of `file`.
    pub(crate) fn new(file: String) -> Self {
        Self {
            file,
            state: Mutex::default(),
        }
    }

    /// Returns a call that hangs.
    #[cfg(test)]
    pub(crate) fn hanging() -> Self {
        let call = Self::new(String::new());
        call.state().begun = Instant::now().checked_sub(HANGS_AFTER);
        call
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Runs a call that waits for the disk.
    pub(super) fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        self.state().begun = Some(Instant::now());
        let _end = EndOfCall(self);
        call()
    }

    /// Returns how long the call under way has taken, if it hangs.
    pub(crate) fn hangs_for(&self) -> Option<Duration> {
        let took = self.state().begun.map(|begun| begun.elapsed());
        took.filter(|took| *took >= HANGS_AFTER)
    }

    /// Returns what has changed since the last call of this function.
    pub(crate) fn notice(&self) -> Option<Noticed> {
        let hangs = self.hangs_for().is_some();
        let before = std::mem::replace(&mut self.state().is_noticed, hangs);
        match (before, hangs) {
            (false, true) => Some(Noticed::Hangs),
            (true, false) => Some(Noticed::Returned),
            _ => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, CallState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EndOfCall<'_> {
    fn drop(&mut self) {
        self.0.state().begun = None;
    }
}
