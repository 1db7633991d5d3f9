//! What is done while the poller waits for the API, or for the next poll: commits that the
//! gate asks for are made, and exemplars end.
//!
//! An answer of the API may take minutes, with all its retries. Counts that are due to be
//! shown, events that were counted and new scrapers do not wait for it.

use std::{pin::pin, time::Duration};

use super::{Api, Clock, Storage, collector::Collector};

/// The time from one look at the gate to the next while the gate is not settled.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The longest time until a commit that failed is tried again. The next poll may be due only
/// after minutes, since the API asked for that.
const COMMIT_RETRY: Duration = Duration::from_mins(1);

impl<A: Api, S: Storage, C: Clock> Collector<A, S, C> {
    /// Does `work`, and looks at the gate meanwhile: each second while a count waits, and
    /// when a new scraper comes. Ends exemplars that were shown for long enough. `waits` is
    /// called with the uptime before each wait, and with
    /// the uptime at which the wait ends; `None` if only the end of `work` or a new scraper
    /// ends it.
    ///
    /// A commit that fails is tried again after a minute at most.
    pub(super) async fn commit_meanwhile<T>(
        &mut self,
        work: impl Future<Output = T>,
        mut waits: impl FnMut(Duration, Option<Duration>),
    ) -> T {
        let mut work = pin!(work);
        loop {
            let now = self.clock.uptime();
            if now >= self.look_due {
                Box::pin(self.look(now)).await;
            }
            self.end_exemplars(now);
            let look_due = (!self.is_settled()).then_some(self.look_due);
            let exemplar_end = self.account.ledger.exemplar_end();
            let next = look_due.into_iter().chain(exemplar_end).min();
            waits(now, next);
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = self.gate.unstored(), if !self.is_store_failing => self.look_due = now,
                () = self.clock.sleep_until(next.unwrap_or(now)), if next.is_some() => {}
            }
        }
    }

    /// Records whether a commit was stored.
    pub(super) fn commit_ended(&mut self, is_stored: bool) {
        self.is_store_failing = !is_stored;
        let wait = if is_stored {
            LOOK_INTERVAL
        } else {
            COMMIT_RETRY
        };
        self.look_due = self.clock.uptime().saturating_add(wait);
    }

    async fn look(&mut self, now: Duration) {
        self.look_due = now.saturating_add(LOOK_INTERVAL);
        // A commit that fails is logged and counted, and tried again.
        let _ = self.commit_if_needed().await;
        self.observe_pending();
    }

    /// Returns `true` if there is nothing to store and nothing to show until an event is
    /// counted or a new scraper comes.
    fn is_settled(&self) -> bool {
        let settled = self.gate.is_settled(&self.account, self.clock.uptime());
        settled && self.account.window.fresh().is_empty()
    }
}
