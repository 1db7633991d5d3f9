//! Asking for the configuration to be read anew: by a signal, or by a client.
//!
//! Who asks waits for the outcome, and knows nothing of what is read.

use tokio::sync::{mpsc, oneshot};

/// Asks for a reload.
#[derive(Debug, Clone)]
pub struct ReloadHandle(mpsc::Sender<Answer>);

/// Where it is said whether the reload succeeded, or why it did not.
pub type Answer = oneshot::Sender<Result<(), String>>;

impl ReloadHandle {
    /// A handle, and where what it asks arrives.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Answer>) {
        // Who asks waits for the answer, so that few ask at once.
        let (sender, asked) = mpsc::channel(1);
        (Self(sender), asked)
    }

    /// Has the configuration read anew; returns once that is done.
    ///
    /// # Errors
    /// With what is wrong with it; then everything stays as it was.
    pub async fn reload(&self) -> Result<(), String> {
        let (answer, outcome) = oneshot::channel();
        let ending = "the exporter is ending";
        self.0.send(answer).await.map_err(|_| ending)?;
        outcome.await.map_err(|_| ending)?
    }
}
