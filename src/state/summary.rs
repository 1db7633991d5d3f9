//! What `state show` has to say.

use std::time::Duration;

use audit_core::ledger::SavedCounter;
use jiff::Timestamp;
use serde::Serialize;

use super::{account_identity::AccountIdentity, waiting::WaitingSummary};
use crate::{
    config::AccountNames,
    store::{GateMemory, KnownScraper, StateReader, StoreError, StoredPart, counter_name},
};

/// A summary of a stored state. As JSON it has the names of its fields.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StateSummary {
    pub(super) path: String,
    pub(super) format: u32,
    /// The version of the program that brought the file to its format.
    pub(super) written_by: String,
    pub(super) writes: u64,
    /// The time of the last commit.
    pub(super) last_commit: Option<Timestamp>,
    /// `true` if a server has ever scraped.
    pub(super) was_scraped: bool,
    pub(super) scrapers: Vec<ScraperSummary>,
    pub(super) accounts: Vec<AccountSummary>,
    /// The accounts of the config file that are not stored.
    pub(super) not_stored: Vec<String>,
}

/// A server that scrapes.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ScraperSummary {
    pub(super) id: String,
    /// `None` if the interval was not known yet.
    pub(super) interval_seconds: Option<f64>,
    pub(super) last_seen: Timestamp,
}

/// A summary of one account.
#[derive(Debug, Clone, Serialize)]
pub(super) struct AccountSummary {
    pub(super) name: Option<String>,
    /// The beginning of the API key.
    pub(super) api_key: String,
    pub(super) counted_since: Option<Timestamp>,
    pub(super) first_started: Option<Timestamp>,
    /// `false` while history is being read.
    pub(super) history_is_read: bool,
    pub(super) watermark: Option<Timestamp>,
    pub(super) newest_event: Option<Timestamp>,
    pub(super) ids: IdSummary,
    /// The counters of `nexmo_audit_events_total`.
    pub(super) series: FamilySummary,
    /// The counters of `nexmo_audit_events_by_type_total`.
    pub(super) types: FamilySummary,
    pub(super) waiting: WaitingSummary,
    /// The number of events that a bound of the gate has let through.
    pub(super) gate_timeouts: u64,
    /// The number of lines of the event log that are not written.
    pub(super) event_log_lines: u64,
    #[serde(skip)]
    pub(super) heading: String,
    /// The reading of the clock of waits at the last write.
    #[serde(skip)]
    wait_time: Duration,
}

/// The ids of counted events that are remembered.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct IdSummary {
    pub(super) count: u64,
    pub(super) oldest: Option<Timestamp>,
}

/// The counters of one metric.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct FamilySummary {
    pub(super) count: u64,
    pub(super) total: u64,
    pub(super) published: u64,
}

impl StateSummary {
    /// Summarizes a state, or the one account of it that `chosen` has. `names` are the
    /// accounts of the config file.
    ///
    /// # Errors
    /// [`StoreError`] if the state cannot be read.
    pub(crate) fn read(
        state: &StateReader,
        accounts: &[AccountIdentity],
        names: &AccountNames,
    ) -> Result<Self, StoreError> {
        let (format, written_by) = state.format();
        let GateMemory {
            was_scraped,
            stored_at,
            scrapers,
            ..
        } = state.gate()?;
        let stored = state.api_keys()?;
        let accounts = accounts
            .iter()
            .map(|account| AccountSummary::read(state, account));
        Ok(Self {
            path: state.path().display().to_string(),
            format,
            written_by: written_by.to_owned(),
            writes: state.writes()?,
            last_commit: stored_at,
            was_scraped,
            scrapers: scrapers.iter().map(ScraperSummary::new).collect(),
            accounts: accounts.collect::<Result<_, _>>()?,
            not_stored: names.without(&stored),
        })
    }

    /// Returns the summary as JSON, on several lines.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl ScraperSummary {
    fn new(known: &KnownScraper) -> Self {
        Self {
            id: format!("{:016x}", known.id.0),
            interval_seconds: known.interval.map(|interval| interval.as_secs_f64()),
            last_seen: known.last_seen,
        }
    }
}

impl AccountSummary {
    fn read(state: &StateReader, account: &AccountIdentity) -> Result<Self, StoreError> {
        let mut summary = Self {
            name: account.name.clone(),
            api_key: account.shown_key.clone(),
            counted_since: None,
            first_started: None,
            history_is_read: false,
            watermark: None,
            newest_event: None,
            ids: IdSummary::default(),
            series: FamilySummary::default(),
            types: FamilySummary::default(),
            waiting: WaitingSummary::default(),
            gate_timeouts: 0,
            event_log_lines: 0,
            heading: account.to_string(),
            wait_time: Duration::ZERO,
        };
        for part in state.parts(&account.api_key)?.into_iter().flatten() {
            summary.add(part?);
        }
        let FamilySummary {
            total, published, ..
        } = summary.series;
        summary.waiting.events = total.saturating_sub(published);
        Ok(summary)
    }

    fn add(&mut self, part: StoredPart) {
        match part {
            StoredPart::Progress(progress) => {
                self.counted_since = Some(progress.stage.start);
                self.first_started = Some(progress.stage.began);
                self.history_is_read = progress.stage.caught_up;
                self.watermark = progress.window.watermark;
                self.newest_event = progress.window.newest;
                self.gate_timeouts = progress.gate_timeouts;
            }
            StoredPart::Gate(gate) => self.wait_time = gate.wait_time,
            StoredPart::Id(id) => {
                self.ids.count += 1;
                self.ids.oldest.get_or_insert(id.time);
            }
            StoredPart::Series(labels, saved, _) => {
                self.series.add(saved);
                let name = || counter_name::of_series(&labels);
                self.waiting.add(saved, self.wait_time, name);
            }
            StoredPart::Type(event_type, saved, _) => {
                self.types.add(saved);
                let name = || counter_name::of_type(&event_type);
                self.waiting.add(saved, self.wait_time, name);
            }
            StoredPart::Line(_) => self.event_log_lines += 1,
        }
    }
}

impl FamilySummary {
    fn add(&mut self, saved: SavedCounter) {
        self.count += 1;
        self.total = self.total.saturating_add(saved.total);
        self.published = self.published.saturating_add(saved.published);
    }
}
