//! Counts one account: reads what may be new, commits it, and shows it, in that
//! order.
//!
//! Generic over the API, the storage and the clock, so that the whole of it can
//! be run against simulated ones, with a crash at any step.

use std::{error::Error, sync::Arc};

use audit_core::{
    account::Account,
    event::EventType,
    ledger::Changes,
    sweep::{Cutter, Range},
};
use jiff::{SignedDuration, Timestamp};

use super::{Api, Clock, Storage, instrumentation, piece::PieceRead};
use crate::{
    api::ApiError, exposition::AccountExposition, gate::SharedGate, metrics::AccountMetrics,
};

/// Why a poll failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PollError {
    /// The API could not be asked.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// What was counted could not be stored.
    #[error("{0}")]
    Storage(Box<dyn Error + Send + Sync>),
}

impl PollError {
    /// What the log calls the reason.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            PollError::Api(error) => error.reason(),
            PollError::Storage(_) => "storage",
        }
    }
}

/// Counts one account.
#[derive(Debug)]
pub(super) struct Collector<A, S, C> {
    pub(super) api: Arc<A>,
    storage: S,
    pub(super) clock: C,
    pub(super) metrics: Arc<AccountMetrics>,
    exposition: AccountExposition,
    gate: Arc<SharedGate>,
    pub(super) account: Account,
    types: Arc<[EventType]>,
    /// What is counted is on show.
    on_show: bool,
    deep: Option<DeepSweep>,
    /// The last sweep was shown less than it was told of.
    short: bool,
}

/// A deep sweep under way: it reads the whole window again, piece by piece.
#[derive(Debug)]
struct DeepSweep {
    from: Timestamp,
    end: Timestamp,
    cutter: Cutter,
    missing: u64,
}

/// What a poll did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PollCounts {
    /// Pages read.
    pub(super) pages: u64,
    /// Events counted.
    pub(super) counted: u64,
}

impl<A: Api, S: Storage, C: Clock> Collector<A, S, C> {
    /// A collector of an account that is new or was stored. What was stored is
    /// shown at once.
    pub(super) fn new(
        (api, storage, clock): (Arc<A>, S, C),
        account: Account,
        metrics: Arc<AccountMetrics>,
        (exposition, gate): (AccountExposition, Arc<SharedGate>),
    ) -> Self {
        let mut collector = Self {
            api,
            storage,
            clock,
            metrics,
            exposition,
            gate,
            account,
            types: Arc::default(),
            on_show: false,
            deep: None,
            short: false,
        };
        collector.show(&Changes::default());
        collector
    }

    /// The account as it stands.
    #[must_use]
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// Whether the gate has nothing to store and nothing to decide until something
    /// is counted or a server comes that is new.
    #[must_use]
    pub(super) fn is_settled(&self) -> bool {
        self.gate.is_settled(&self.account, self.clock.uptime())
    }

    /// The vendor's types: each that is counted has a series from now on.
    pub(super) fn name_types(&mut self, mut types: Vec<EventType>) {
        types.retain(|known| self.account.filter.admits(&known.name));
        self.account
            .ledger
            .name_types(types.iter().map(|known| known.name.as_str()));
        self.types = self.exposition.shared(types);
    }

    /// Reads everything from behind the watermark until now, in pieces that are
    /// committed one by one.
    ///
    /// # Errors
    /// [`PollError`]; what was counted before stays counted.
    pub(super) async fn poll(&mut self, counts: &mut PollCounts) -> Result<(), PollError> {
        // Without a place to store it, there is no use in asking for more.
        self.commit_if_needed().await?;
        let outcome = self.read_all(counts).await;
        if outcome.is_err() {
            // What was counted before the failure is counted. If this fails too,
            // the next poll begins with it.
            let _ = self.commit_if_needed().await;
        }
        outcome
    }

    async fn read_all(&mut self, counts: &mut PollCounts) -> Result<(), PollError> {
        let mut from = self.account.window.sweep_start(self.clock.local());
        let mut cutter = Cutter::default();
        loop {
            let PieceRead {
                read_to,
                clocks,
                missing,
            } = self
                .read_piece(Range { from, to: None }, &mut cutter, counts)
                .await?;
            let was_short = std::mem::replace(&mut self.short, missing > 0);
            if missing > 0 {
                let changed = !was_short;
                instrumentation::EventsMissing { missing, changed }.record();
            }
            let Some(read_to) = read_to else {
                self.account.window.complete_sweep(clocks);
                self.account.stage.caught_up = true;
                return self.commit().await;
            };
            self.account.window.complete_piece(read_to, clocks);
            self.commit().await?;
            instrumentation::PieceCounted {
                up_to: read_to,
                now: clocks.earliest(),
                counts: *counts,
            }
            .record(&self.metrics);
            from = read_to;
        }
    }

    /// Begins to read `depth` back again, for events that appeared late.
    pub(super) fn begin_deep_sweep(&mut self, depth: SignedDuration) {
        let window = &self.account.window;
        let local = self.clock.local();
        if let Some(end) = window.watermark() {
            let from = window.deep_sweep_start(depth, local);
            self.deep = Some(DeepSweep {
                from,
                end,
                cutter: Cutter::default(),
                missing: 0,
            });
        }
    }

    /// Whether a deep sweep is under way.
    #[must_use]
    pub(super) fn is_in_deep_sweep(&self) -> bool {
        self.deep.is_some()
    }

    /// Reads one more piece of the deep sweep. It never moves the watermark.
    ///
    /// # Errors
    /// [`PollError`]; the same piece is read again at the next call.
    pub(super) async fn continue_deep_sweep(&mut self) -> Result<(), PollError> {
        let Some(mut deep) = self.deep.take() else {
            return Ok(());
        };
        let range = Range {
            from: deep.from,
            to: Some(deep.end),
        };
        let outcome = self
            .read_piece(range, &mut deep.cutter, &mut PollCounts::default())
            .await;
        let outcome = match outcome {
            Ok(piece) => self.commit().await.map(|()| piece),
            Err(error) => Err(error),
        };
        let piece = match outcome {
            Ok(piece) => piece,
            Err(error) => {
                self.deep = Some(deep);
                return Err(error);
            }
        };
        deep.missing += piece.missing;
        match piece.read_to.filter(|read_to| *read_to < deep.end) {
            Some(read_to) => {
                self.deep = Some(DeepSweep {
                    from: read_to,
                    ..deep
                });
            }
            None => instrumentation::DeepSweepEnded {
                missing: deep.missing,
            }
            .record(&self.metrics),
        }
        Ok(())
    }

    /// Whether a commit would let something be shown, or keep something that must
    /// not be lost. A watermark that moved is no reason: it can be lost.
    #[must_use]
    pub(super) fn has_to_commit(&self) -> bool {
        self.gate.has_to_commit(&self.account, self.clock.uptime())
    }

    /// Commits if there is a reason to.
    ///
    /// # Errors
    /// As [`Collector::commit`].
    pub(super) async fn commit_if_needed(&mut self) -> Result<(), PollError> {
        if self.has_to_commit() {
            self.commit().await
        } else {
            Ok(())
        }
    }

    /// Stores everything that was counted and what the gate lets be shown; then
    /// shows it.
    ///
    /// # Errors
    /// [`PollError::Storage`]; what is shown stays as it was.
    pub(super) async fn commit(&mut self) -> Result<(), PollError> {
        let (commit, saved_gate) = self.gate.prepare(&self.account, self.clock.uptime());
        let (commit, saved_gate) = (Arc::new(commit), Arc::new(saved_gate));
        let stored = self
            .storage
            .commit(Arc::clone(&commit), Arc::clone(&saved_gate))
            .await;
        if let Err(error) = stored {
            instrumentation::CommitFailed { error: &error }.record(&self.metrics);
            return Err(PollError::Storage(Box::new(error)));
        }
        self.account.confirm(&commit);
        self.gate.confirm(&saved_gate);
        self.show(&commit.changes);
        Ok(())
    }

    /// Shows what changed; everything, the first time.
    fn show(&mut self, changes: &Changes) {
        // First, so that no scrape sees new counts beside what waited before.
        self.observe_pending();
        let Account { ledger, stage, .. } = &mut self.account;
        if !stage.caught_up {
            return;
        }
        let everything = (!std::mem::replace(&mut self.on_show, true)).then(|| ledger.all());
        let changes = everything.as_ref().unwrap_or(changes);
        self.exposition
            .publish(ledger, changes, &self.types, stage.start);
    }

    /// Shows how much waits for the gate.
    pub(super) fn observe_pending(&self) {
        let pending = self.account.ledger.pending();
        instrumentation::PendingObserved { pending }.record(&self.metrics);
    }
}
