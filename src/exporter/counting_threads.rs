//! The threads that count.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

/// The highest number of threads that read files of API secrets, each of which may hang. No
/// other work of these threads needs one of them to go on.
const MAX_FILE_READERS: usize = 512;

/// Threads that only count, so that no scrape waits while pages are parsed: the system
/// prefers threads that have slept, which are those that answer scrapes.
#[derive(Debug)]
pub(crate) struct CountingThreads(Option<Runtime>);

impl CountingThreads {
    /// Starts a thread for each processor.
    pub(crate) fn start() -> io::Result<Self> {
        let mut threads = Builder::new_multi_thread();
        threads.max_blocking_threads(MAX_FILE_READERS);
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

/// Runs `work`, which may wait for the disk, on this thread. Other tasks go on meanwhile.
pub(super) fn may_block<T>(work: impl FnOnce() -> T) -> T {
    let runtime = Handle::try_current().map(|handle| handle.runtime_flavor());
    match runtime {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // A runtime of one thread, as tests have it, has no other thread for its tasks.
        _ => work(),
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
