//! Work on files that ends in time, also if the file system does not answer.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// The longest wait for a file. A disk answers in milliseconds.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The size of the stack of a thread that waits for a file, in bytes.
const STACK_BYTES: usize = 256 << 10;

/// The work that did not end in time and is still under way. A path in the list is not
/// tried again, so that each file keeps at most one thread waiting.
static UNENDED: Mutex<Vec<(PathBuf, Weak<()>)>> = Mutex::new(Vec::new());

/// The error of work on a file that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not answer within {} s; check that its file system can be reached", LONGEST_WAIT.as_secs())]
pub struct Hanging;

/// Work on a file that has begun on a thread of its own.
#[derive(Debug)]
pub(super) struct PendingWork<T> {
    path: PathBuf,
    outcome: Receiver<T>,
    /// Alive until the work has ended.
    under_way: Weak<()>,
    deadline: Instant,
}

/// Does `work` on the file at `path`, or on its folder, and returns what it returns.
///
/// # Errors
/// [`Hanging`] if the work has not ended within five seconds, and while earlier work on the
/// same path has not ended. Returns the error of the system if it has no thread left.
pub fn within_time_limit<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> T + Send + 'static,
) -> io::Result<Result<T, Hanging>> {
    Ok(match begin(path, work)? {
        Ok(pending) => pending.wait(),
        Err(hanging) => Err(hanging),
    })
}

/// Begins `work`. Returns [`Hanging`] while earlier work on the same path has not ended.
pub(super) fn begin<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> T + Send + 'static,
) -> io::Result<Result<PendingWork<T>, Hanging>> {
    if is_unended(path) {
        return Ok(Err(Hanging));
    }
    let (sender, outcome) = sync_channel(1);
    let alive = Arc::new(());
    let under_way = Arc::downgrade(&alive);
    let deadline = Instant::now() + LONGEST_WAIT;
    let path = path.to_owned();
    let own_path = path.clone();
    thread::Builder::new()
        .name("file".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            // Nobody may wait any more.
            let _ = sender.send(work(&own_path));
            drop(alive);
        })?;
    Ok(Ok(PendingWork {
        path,
        outcome,
        under_way,
        deadline,
    }))
}

impl<T> PendingWork<T> {
    pub(super) fn wait(self) -> Result<T, Hanging> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.outcome.recv_timeout(left).map_err(|_| {
            let mut unended = UNENDED.lock().unwrap_or_else(PoisonError::into_inner);
            unended.push((self.path, self.under_way));
            Hanging
        })
    }
}

fn is_unended(path: &Path) -> bool {
    let mut unended = UNENDED.lock().unwrap_or_else(PoisonError::into_inner);
    unended.retain(|(_, under_way)| under_way.strong_count() > 0);
    unended.iter().any(|(other, _)| other == path)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn work_that_hangs_is_given_up_and_not_begun_again_until_it_ends() {
        let path = Path::new("/that/hangs");
        let (answer, never) = channel::<()>();
        let hang = move |_: &Path| never.recv().is_ok();
        let pending = begin(path, hang).expect("a thread").expect("the first");
        let late = PendingWork {
            deadline: Instant::now(),
            ..pending
        };
        let under_way = late.under_way.clone();
        assert_eq!(late.wait(), Err(Hanging));
        let begun = Instant::now();
        let again = within_time_limit(path, |_| ()).expect("no thread is needed");
        assert_eq!(again, Err(Hanging));
        assert!(begun.elapsed() < LONGEST_WAIT);
        let other = within_time_limit(Path::new("/other"), |_| 7).expect("a thread");
        assert_eq!(other, Ok(7));
        drop(answer);
        while under_way.strong_count() > 0 {
            thread::yield_now();
        }
        let again = within_time_limit(path, |_| 8).expect("a thread");
        assert_eq!(again, Ok(8));
    }
}
