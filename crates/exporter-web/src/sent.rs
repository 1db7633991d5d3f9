//! What is run once an answer has been sent.
//!
//! hyper takes a body as soon as the body is ready, long before the client has it. So the
//! bytes of the body say when the last of them was written, and the stream of the
//! connection when it was flushed after that.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Code that is run once an answer has been sent.
pub(crate) struct OnSent(Box<dyn FnOnce() + Send>);

/// The code of the answers of one connection that were written, but not flushed yet.
#[derive(Debug, Default)]
pub(crate) struct WrittenAnswers(Mutex<VecDeque<OnSent>>);

impl OnSent {
    pub(crate) fn new(run: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(run))
    }
}

impl fmt::Debug for OnSent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnSent")
    }
}

impl WrittenAnswers {
    /// Records that all bytes of an answer were written.
    pub(crate) fn push(&self, on_sent: OnSent) {
        self.lock().push_back(on_sent);
    }

    /// Runs the code of all answers that were written. The stream has been flushed since.
    pub(crate) fn flushed(&self) {
        loop {
            let next = self.lock().pop_front();
            let Some(OnSent(run)) = next else { return };
            run();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<OnSent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
