//! Asks for a reload of the configuration, for a signal or for a client of `/-/reload`.

use tokio::sync::{mpsc, oneshot};

/// Asks for a reload.
#[derive(Debug, Clone)]
pub(crate) struct ReloadHandle(mpsc::Sender<ReloadReply>);

/// Takes the outcome of one reload.
pub(crate) type ReloadReply = oneshot::Sender<Result<(), ReloadError>>;

/// The error of a reload that failed. The log says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration could not be loaded")]
pub(crate) struct ReloadError;

impl ReloadHandle {
    /// Returns a handle, and the receiver of all that the handle asks for.
    pub(crate) fn new() -> (Self, mpsc::Receiver<ReloadReply>) {
        // Each caller waits for its outcome, so the queue can be short.
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }

    /// Has the configuration read again, and returns once that is done.
    ///
    /// # Errors
    /// Returns an error if the configuration cannot be used, or the exporter shuts down.
    pub(crate) async fn reload(&self) -> Result<(), ReloadError> {
        let (reply, outcome) = oneshot::channel();
        self.0.send(reply).await.map_err(|_| ReloadError)?;
        outcome.await.map_err(|_| ReloadError)?
    }
}
