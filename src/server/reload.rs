//! Asking for the configuration to be read anew: by a signal, or by a client.
//!
//! Who asks waits for the outcome, and knows nothing of what is read.

use tokio::sync::{mpsc, oneshot};

/// Asks for a reload.
#[derive(Debug, Clone)]
pub(crate) struct ReloadHandle(mpsc::Sender<ReloadReply>);

/// Where it is said whether the reload succeeded.
pub(crate) type ReloadReply = oneshot::Sender<Result<(), ReloadError>>;

/// Why nothing was taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReloadError {
    /// The configuration cannot be used.
    #[error("the configuration could not be taken over; the log says why")]
    Failed,
    /// The exporter does not take reloads any more.
    #[error("the exporter is ending")]
    Ending,
}

impl ReloadHandle {
    /// A handle, and where what it asks arrives.
    #[must_use]
    pub(crate) fn new() -> (Self, mpsc::Receiver<ReloadReply>) {
        // Who asks waits for the answer, so that few ask at once.
        let (sender, asked) = mpsc::channel(1);
        (Self(sender), asked)
    }

    /// Has the configuration read anew; returns once that is done.
    ///
    /// # Errors
    /// [`ReloadError`]; then everything stays as it was.
    pub(crate) async fn reload(&self) -> Result<(), ReloadError> {
        let (reply, outcome) = oneshot::channel();
        let sent = self.0.send(reply).await;
        sent.map_err(|_| ReloadError::Ending)?;
        outcome.await.map_err(|_| ReloadError::Ending)?
    }
}
