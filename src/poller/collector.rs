//! Counts one account: reads the events that may be new, commits the counts, and shows
//! them, in that order.
//!
//! The API, the storage and the clock are type parameters, so that a simulation can
//! replace them and crash the collector at any step.

use std::{error::Error, pin::pin, sync::Arc, time::Duration};

use audit_core::{
    account::{Account, Commit},
    event::{EventType, types_from_zero},
    gate::SavedGate,
    ledger::Changes,
    sweep::{Cutter, Limits, Range, Recount},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    Api, Clock, Origin, Storage, instrumentation, lookback::RangeRead, missing::Missing,
    piece::PieceWanted,
};
use crate::{
    api::ApiError, exposition::AccountExposition, gate::SharedGate, metrics::AccountMetrics,
};

/// The time after which a commit that has not ended counts as one that could not be stored,
/// again and again. A disk that is merely slow answers earlier.
const COMMIT_HANGS_AFTER: Duration = Duration::from_secs(10);

/// The reason why a poll failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum PollError {
    /// A request to the API failed.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A commit could not be stored.
    #[error("{0}")]
    Storage(Box<dyn Error + Send + Sync>),
}

impl PollError {
    /// Returns the reason as the log writes it.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            PollError::Api(error) => error.reason(),
            PollError::Storage(_) => "storage",
        }
    }
}

/// Reads the events of one account, stores the counts, and shows them.
#[derive(Debug)]
pub(super) struct Collector<A, S, C> {
    pub(super) api: Arc<A>,
    storage: S,
    pub(super) clock: C,
    pub(super) metrics: Arc<AccountMetrics>,
    exposition: AccountExposition,
    pub(super) gate: Arc<SharedGate>,
    pub(super) account: Account,
    /// `true` once the account has the ids that were stored.
    has_ids: bool,
    /// The vendor's event types that the account counts.
    types: Arc<[EventType]>,
    /// `true` once the counts have been shown.
    is_shown: bool,
    /// The deep sweep under way.
    deep_sweep: Option<Box<DeepSweep>>,
    /// The limits of the API that were met.
    pub(super) limits: Limits,
    /// What is known of the lookback.
    pub(super) recount: Recount,
    /// The time of the API in the last answer that began a piece, and the uptime then.
    pub(super) answered: Option<(Timestamp, Duration)>,
    pub(super) named: NamedOnce,
    /// The events that the API has and does not return.
    pub(super) missing: Missing,
    /// The watermark of the state that the process began with, until the first page.
    pub(super) stored_watermark: Option<Timestamp>,
    /// The uptime at which the gate is looked at next.
    pub(super) look_due: Duration,
    /// `true` if the last commit failed.
    pub(super) is_store_failing: bool,
}

/// A deep sweep under way: it reads a long range again, piece by piece.
#[derive(Debug)]
struct DeepSweep {
    /// The time at which the next piece begins.
    from: Timestamp,
    /// The time at which the last piece ends, which is the watermark with which the sweep
    /// began.
    end: Timestamp,
    cutter: Cutter,
    /// The number of events that the API has and did not return, so far.
    missing: u64,
}

/// What the log has named, which it names once.
#[derive(Debug, Default)]
pub(super) struct NamedOnce {
    /// `true` once it has named the form of a time of creation that cannot be read.
    pub(super) time_form: bool,
    /// `true` once it has said that there are events of another account.
    pub(super) other_account: bool,
    /// `true` once it has said that lines of the event log are cut.
    pub(super) cut_line: bool,
}

/// The work of one poll, so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PollCounts {
    /// The number of pages that were read.
    pub(super) pages: u64,
    /// The number of events that were counted.
    pub(super) counted: u64,
}

impl<A: Api, S: Storage, C: Clock> Collector<A, S, C> {
    /// Creates the collector of an account that is new or was stored. Stored counts are
    /// shown at once.
    pub(super) fn new(
        (api, storage, clock): (Arc<A>, S, C),
        (account, origin, recount): (Account, Origin, Recount),
        metrics: Arc<AccountMetrics>,
        (exposition, gate): (AccountExposition, Arc<SharedGate>),
    ) -> Self {
        let stored_watermark = account.window.watermark();
        let mut collector = Self {
            api,
            storage,
            clock,
            metrics,
            exposition,
            gate,
            account,
            has_ids: origin == Origin::FirstStart,
            types: Arc::default(),
            is_shown: false,
            deep_sweep: None,
            limits: Limits::default(),
            recount,
            answered: None,
            named: NamedOnce::default(),
            missing: Missing::default(),
            stored_watermark,
            look_due: Duration::ZERO,
            is_store_failing: false,
        };
        let all = collector.account.ledger.gate_timeouts();
        instrumentation::GateTimeouts { all }.restore(&collector.metrics);
        let (local, now) = (collector.clock.local(), collector.clock.uptime());
        let Account { ledger, .. } = &mut collector.account;
        ledger.restore_exemplars(&collector.gate.lock(), local, now);
        collector.show(&Changes::default());
        collector
    }

    /// Returns the account, with counts that may not be stored yet.
    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// Keeps the vendor's list of event types, which is empty while it cannot be read. Each
    /// type that the list names or that is known has a counter from now on, if the account
    /// counts it.
    pub(super) fn name_types(&mut self, mut types: Vec<EventType>) {
        let Account { ledger, filter, .. } = &mut self.account;
        types.retain(|named| filter.admits(&named.name));
        ledger.name_types(types_from_zero(&types).filter(|name| filter.admits(name)));
        self.types = self.exposition.shared(types);
    }

    /// Reads all events from the watermark less the lookback until now that are not known.
    /// Commits each piece if there are several.
    ///
    /// # Errors
    /// [`PollError`]; events that were counted before the failure stay counted.
    pub(super) async fn poll(&mut self, counts: &mut PollCounts) -> Result<(), PollError> {
        // If the store fails, requests to the API would be in vain.
        self.commit_if_needed().await?;
        self.recall_ids().await?;
        let outcome = self.read_all(counts).await;
        if outcome.is_err() {
            self.recount.abandon();
            // Stores the events that were counted before the failure. If this fails
            // too, the next poll begins with the same commit.
            let _ = self.commit_if_needed().await;
        }
        outcome
    }

    /// Reads the ids that were stored, without which nothing can be counted. The counts are
    /// shown already, since a million ids take half a second.
    async fn recall_ids(&mut self) -> Result<(), PollError> {
        if !self.has_ids {
            let ids = self.storage.ids(self.account.window.no_ids()).await;
            let ids = ids.map_err(|error| PollError::Storage(Box::new(error)))?;
            self.account.window.recall(ids);
            self.has_ids = true;
        }
        Ok(())
    }

    async fn read_all(&mut self, counts: &mut PollCounts) -> Result<(), PollError> {
        let local = self.clock.local();
        let watermark = self.account.window.believed_watermark(local);
        let from = self.account.window.begin_sweep(local);
        let mut wanted = PieceWanted {
            range: Range { from, to: None },
            watermark,
            stop_above: Some(self.recount.few()),
        };
        let mut settled = None;
        if self.recount.is_known() {
            settled = self.read_settled(from, watermark, counts).await?;
        }
        let mut read = None;
        if settled.is_none() {
            // The range is read whole, unless its first page says that this takes more
            // requests than to read the settled part by itself and to remember it.
            let whole = self.read_range(wanted, true, counts).await?;
            if whole.is_stopped {
                settled = self.read_settled(from, watermark, counts).await?;
            } else {
                read = Some(whole);
            }
        }
        wanted.range.from = settled.map_or(from, |settled| settled.read_to);
        wanted.stop_above = None;
        let RangeRead {
            clocks, missing, ..
        } = match read {
            Some(read) => read,
            None => self.read_range(wanted, true, counts).await?,
        };
        self.recount.end_tail(clocks.api);
        let missing = settled.map_or(missing, |settled| missing.saturating_add(settled.missing));
        self.missing.of_poll(missing, &self.metrics);
        // An event may be listed in the settled part after that was read.
        let started = settled.map_or(clocks, |settled| settled.started);
        self.account.window.complete_sweep(started);
        self.account.stage.caught_up = true;
        self.commit().await
    }

    /// Begins a deep sweep, which reads the last `depth` before the watermark again, for
    /// events that appeared late. Does nothing while there is no watermark.
    pub(super) fn begin_deep_sweep(&mut self, depth: SignedDuration) {
        let window = &self.account.window;
        let local = self.clock.local();
        if let Some(end) = window.watermark() {
            let from = window.deep_sweep_start(depth, local);
            self.deep_sweep = Some(Box::new(DeepSweep {
                from,
                end,
                cutter: Cutter::new(self.limits.for_deep_sweep()),
                missing: 0,
            }));
        }
    }

    /// Returns `true` if a deep sweep is under way.
    pub(super) fn is_in_deep_sweep(&self) -> bool {
        self.deep_sweep.is_some()
    }

    /// Reads and commits the next piece of the deep sweep. A deep sweep never moves the
    /// watermark.
    ///
    /// # Errors
    /// [`PollError`]; the next call reads the same piece again.
    pub(super) async fn continue_deep_sweep(&mut self) -> Result<(), PollError> {
        let Some(mut deep) = self.deep_sweep.take() else {
            return Ok(());
        };
        let range = Range {
            from: deep.from,
            to: Some(deep.end),
        };
        let outcome = self
            .read_piece(
                PieceWanted {
                    range,
                    watermark: Some(deep.end),
                    stop_above: None,
                },
                &mut deep.cutter,
                &mut PollCounts::default(),
            )
            .await;
        let outcome = match outcome {
            Ok(piece) => self.commit().await.map(|()| piece),
            Err(error) => Err(error),
        };
        let piece = match outcome {
            Ok(piece) => piece,
            Err(error) => {
                self.deep_sweep = Some(deep);
                return Err(error);
            }
        };
        self.missing.of_piece(&piece);
        deep.missing += piece.missing;
        match piece.read_to.filter(|read_to| *read_to < deep.end) {
            Some(read_to) => {
                deep.from = read_to;
                self.deep_sweep = Some(deep);
            }
            None => self.missing.of_deep_sweep(deep.missing, &self.metrics),
        }
        Ok(())
    }

    /// Reports events that are late by the same span again and again. To be called when a
    /// deep sweep has ended; `between` is the time between two deep sweeps.
    pub(super) fn report_lateness(&mut self, between: Duration) {
        let between = SignedDuration::try_from(between).unwrap_or(SignedDuration::MAX);
        if let Some(lateness) = self.account.window.regular_lateness(between) {
            instrumentation::RegularlyLate { lateness }.record();
        }
    }

    /// Commits if [`SharedGate::has_to_commit`] finds a reason to.
    ///
    /// # Errors
    /// The error of [`Collector::commit`].
    pub(super) async fn commit_if_needed(&mut self) -> Result<(), PollError> {
        if self.gate.has_to_commit(&self.account, self.clock.uptime()) {
            self.commit().await
        } else {
            Ok(())
        }
    }

    /// Stores all counts, and the published values that the gate allows; then shows the
    /// published values.
    ///
    /// # Errors
    /// [`PollError::Storage`]; the published values that are shown stay as they were.
    pub(super) async fn commit(&mut self) -> Result<(), PollError> {
        // A process that ends waits until what is stored is also shown.
        let gate = Arc::clone(&self.gate);
        let _under_way = gate.begin_commit().await;
        let (commit, saved_gate) = self.gate.prepare(&self.account, self.clock.uptime());
        let (commit, saved_gate) = (Arc::new(commit), Arc::new(saved_gate));
        let stored = self
            .store(Arc::clone(&commit), Arc::clone(&saved_gate))
            .await;
        self.commit_ended(stored.is_ok());
        if let Err(error) = stored {
            self.account.reject(&commit);
            instrumentation::CommitFailed { error: &error }.record(&self.metrics);
            return Err(PollError::Storage(Box::new(error)));
        }
        self.account.confirm(&commit);
        self.gate.confirm(&saved_gate);
        self.show(&commit.changes);
        let all = commit.changes.gate_timeouts;
        instrumentation::GateTimeouts { all }.record(&self.metrics);
        if let Some(lost) = self.account.outbox.take_lost() {
            instrumentation::LinesLost { lost }.record(&self.metrics);
        }
        Ok(())
    }

    /// Stores a commit, and says meanwhile that the disk hangs if it does.
    async fn store(&mut self, commit: Arc<Commit>, gate: Arc<SavedGate>) -> Result<(), S::Error> {
        let Self {
            storage,
            clock,
            metrics,
            ..
        } = self;
        let mut storing = pin!(storage.commit(commit, gate));
        loop {
            let hangs_at = clock.uptime().saturating_add(COMMIT_HANGS_AFTER);
            tokio::select! {
                biased;
                stored = &mut storing => return stored,
                () = clock.sleep_until(hangs_at) => instrumentation::CommitHangs::record(metrics),
            }
        }
    }

    /// Shows the counters that changed; the first time, all counters. Shows no counter
    /// until all of the history is counted.
    fn show(&mut self, changes: &Changes) {
        // This comes first, so that no scrape sees new counts beside the old number of
        // events that wait.
        self.observe_pending();
        let Account { ledger, stage, .. } = &mut self.account;
        if !stage.caught_up {
            return;
        }
        let is_first = !std::mem::replace(&mut self.is_shown, true);
        let all = is_first.then(|| ledger.all());
        let changes = all.as_ref().unwrap_or(changes);
        self.exposition
            .publish(ledger, changes, &self.types, stage.start);
    }

    /// Shows the counters without the exemplars that were shown for long enough at `now`.
    pub(super) fn end_exemplars(&mut self, now: Duration) {
        let Account { ledger, .. } = &mut self.account;
        if ledger.exemplar_end().is_some_and(|end| end <= now) {
            self.exposition.end_exemplars(ledger.end_exemplars(now));
        }
    }

    /// Shows how many events wait for the gate.
    pub(super) fn observe_pending(&self) {
        let pending = self.account.ledger.pending();
        instrumentation::PendingObserved { pending }.record(&self.metrics);
    }
}
