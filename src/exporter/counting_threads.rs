//! The threads that count.

use std::io;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

/// The highest number of threads that read files of API secrets, each of which may hang. No
/// other work of these threads needs one of them to go on.
const MAX_FILE_READERS: usize = 512;

/// How much less these threads want the processor than others do, as a nice value. While all
/// processors are busy, they still get a tenth of what another thread gets.
const NICE: i32 = 10;

/// Threads that only count, so that no scrape waits while pages are parsed: the system
/// prefers the threads that answer scrapes.
#[derive(Debug)]
pub(crate) struct CountingThreads(Option<Runtime>);

impl CountingThreads {
    /// Starts a thread for each processor.
    pub(crate) fn start() -> io::Result<Self> {
        let mut threads = Builder::new_multi_thread();
        threads.max_blocking_threads(MAX_FILE_READERS);
        threads.on_thread_start(|| {
            // A process that gives way to others already, as under `nice -n 19`, stays so.
            let gives_way = rustix::process::getpriority_process(None);
            if gives_way.is_ok_and(|nice| nice < NICE) {
                // On Linux, this sets the priority of the calling thread alone. A system that
                // refuses counts as well, and only answers later beside a backlog.
                let _ = rustix::process::setpriority_process(None, NICE);
            }
        });
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

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
            mpsc::channel,
        },
        thread,
        time::Duration,
    };

    use super::*;

    /// The longest wait for what comes at once.
    const AT_ONCE: Duration = Duration::from_secs(10);

    #[test]
    fn threads_that_count_give_way_to_the_others() {
        let threads = CountingThreads::start().expect("threads");
        let priority = || rustix::process::getpriority_process(None).expect("a priority");
        let before = priority();
        let (told, counting) = channel();
        threads
            .handle()
            .spawn(async move { told.send(priority()).expect("the test waits") });
        let counting = counting.recv_timeout(AT_ONCE).expect("a task");
        assert_eq!(counting, NICE.max(before));
        assert_eq!(priority(), before);
    }

    #[test]
    fn work_that_waits_for_the_disk_on_every_thread_stops_no_other_task() {
        let threads = CountingThreads::start().expect("threads");
        let number = thread::available_parallelism().map_or(1, usize::from);
        let (waits, waiting) = channel();
        let mut blocked = Vec::new();
        for _ in 0..number {
            let (release, disk) = channel::<()>();
            let waits = waits.clone();
            let task = threads.handle().spawn(async move {
                waits.send(()).expect("the test waits");
                may_block(|| disk.recv_timeout(AT_ONCE).is_ok())
            });
            blocked.push((release, task));
        }
        for _ in 0..number {
            waiting.recv_timeout(AT_ONCE).expect("a task");
        }
        let (done, other) = channel();
        threads
            .handle()
            .spawn(async move { done.send(()).expect("the test waits") });
        other.recv_timeout(AT_ONCE / 2).expect("the task runs");
        for (release, task) in blocked {
            release.send(()).expect("it waits");
            assert!(threads.handle().block_on(task).expect("a task"));
        }
    }

    #[test]
    fn no_more_files_than_the_bound_are_looked_at_at_once_and_tasks_go_on() {
        const MORE: usize = 50;
        let threads = CountingThreads::start().expect("threads");
        let handle = threads.handle();
        let (running, highest) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (begun, beginnings) = channel();
        let (release, disk) = channel::<()>();
        let disk = Arc::new(std::sync::Mutex::new(disk));
        let looks: Vec<_> = (0..MAX_FILE_READERS + MORE)
            .map(|_| {
                let (running, highest) = (Arc::clone(&running), Arc::clone(&highest));
                let (begun, disk) = (begun.clone(), Arc::clone(&disk));
                handle.spawn_blocking(move || {
                    let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                    highest.fetch_max(now, Ordering::SeqCst);
                    begun.send(()).expect("the test waits");
                    let released = disk.lock().is_ok_and(|disk| disk.recv().is_ok());
                    running.fetch_sub(1, Ordering::SeqCst);
                    released
                })
            })
            .collect();
        for _ in 0..MAX_FILE_READERS {
            beginnings.recv_timeout(AT_ONCE).expect("a thread");
        }
        let (done, other) = channel();
        handle.spawn(async move { done.send(()).expect("the test waits") });
        other.recv_timeout(AT_ONCE).expect("the task runs");
        for _ in &looks {
            release.send(()).expect("looks wait");
        }
        for look in looks {
            assert!(handle.block_on(look).expect("a look"));
        }
        assert_eq!(highest.load(Ordering::SeqCst), MAX_FILE_READERS);
    }
}
