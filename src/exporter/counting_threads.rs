//! The threads that count.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads that only count, so that no scrape waits while pages are parsed: the system
/// prefers threads that have slept, which are those that answer scrapes.
#[derive(Debug)]
pub(crate) struct CountingThreads(Option<Runtime>);

impl CountingThreads {
    /// Starts a thread for each processor.
    pub(crate) fn start() -> io::Result<Self> {
        let mut threads = Builder::new_multi_thread();
        let runtime = threads.thread_name("counting").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Returns the handle by which tasks are started on these threads.
    pub(crate) fn handle(&self) -> Handle {
        self.0
            .as_ref()
            .map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

/// Stops all tasks. After the next start, events that are not committed are counted
/// again, and lines that are not in the event log are written.
impl Drop for CountingThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
