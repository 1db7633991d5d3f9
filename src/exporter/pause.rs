//! Pauses a task, so that it can be replaced by another or go on.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// Pauses one task.
#[derive(Debug, Clone, Default)]
pub(super) struct PauseSwitch(Arc<Mutex<PauseState>>);

#[derive(Debug, Default)]
struct PauseState {
    is_paused: bool,
    /// Wakes the task if it was to go on while it was paused.
    waker: Option<Waker>,
}

/// The pause of a task, which ends when this value is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Pause(PauseSwitch);

impl PauseSwitch {
    /// Runs `task`, except while it is paused.
    pub(super) async fn run<T>(&self, mut task: impl Future<Output = T> + Unpin) -> T {
        std::future::poll_fn(|context| {
            // Held while the task runs, so that a pause begins at an await.
            let mut state = self.state();
            if state.is_paused {
                state.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            Pin::new(&mut task).poll(context)
        })
        .await
    }

    /// Pauses the task. Waits until the task has come to an await, which takes as long as
    /// to parse a page.
    pub(super) fn pause(&self) -> Pause {
        self.state().is_paused = true;
        Pause(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, PauseState> {
        // A task that panicked has ended.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_paused = false;
        let waker = state.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_paused_task_goes_on_where_it_was() {
        let switch = PauseSwitch::default();
        let (input, mut received) = mpsc::unbounded_channel::<u32>();
        let (done, mut sums) = mpsc::unbounded_channel();
        let of_task = switch.clone();
        let task = tokio::spawn(async move {
            let sum = async {
                let mut sum = 0;
                while let Some(number) = received.recv().await {
                    sum += number;
                    done.send(sum).expect("a receiver");
                }
            };
            of_task.run(Box::pin(sum)).await;
        });
        input.send(1).expect("a task");
        assert_eq!(sums.recv().await, Some(1));
        let pause = switch.pause();
        input.send(2).expect("a task");
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(sums.try_recv().is_err());
        drop(pause);
        assert_eq!(sums.recv().await, Some(3));
        drop(input);
        task.await.expect("it ends");
    }
}
