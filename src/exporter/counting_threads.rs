//! The threads that count.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// Threads for counting alone, so that no scrape waits while pages are parsed: the
/// system lets a thread that has slept run first.
#[derive(Debug)]
pub(crate) struct CountingThreads(Option<Runtime>);

impl CountingThreads {
    /// As many as there are processors.
    pub(crate) fn start() -> io::Result<Self> {
        let mut threads = Builder::new_multi_thread();
        let runtime = threads.thread_name("counting").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Where to count.
    pub(crate) fn handle(&self) -> Handle {
        self.0
            .as_ref()
            .map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

/// Whatever they are doing ends: what is not committed is counted again, and what is
/// not written to the event log is written after the next start.
impl Drop for CountingThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
