//! One account on the landing page: how its polls go, in words.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};

use super::text::{at, number, span};
use crate::{
    metrics::CatchUp,
    poller::health::{AccountHealth, PollState},
};

/// The time for which history is read before the page says how long the rest takes.
const ESTIMATE_AFTER: SignedDuration = SignedDuration::from_secs(10);
const STALLED: &str =
    "The poller has stalled, which is a defect: restart the exporter and report this.";

/// The urgency with which an account needs attention; the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    Failing,
    CatchingUp,
    Waiting,
    Succeeding,
}

/// What the page shows of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AccountRow {
    /// The name of the account; `None` if there is only one and it has no name.
    pub(super) name: Option<String>,
    /// The last success of a poll, and since when polls fail.
    pub(super) polls: PollState,
    /// `true` if the poller does not show that it is alive.
    pub(super) is_stalled: bool,
    /// The catch-up under way; `None` if none is.
    pub(super) catch_up: Option<CatchUp>,
    /// The time up to which everything that the API showed is counted.
    pub(super) watermark: Option<Timestamp>,
    /// The number of events that are counted and not shown yet.
    pub(super) pending: i64,
}

impl AccountRow {
    pub(super) fn of(account: &AccountHealth, is_stalled: bool) -> Self {
        let metrics = account.metrics();
        let catch_up = metrics.catch_up.load_full();
        Self {
            name: account.name().map(ToString::to_string),
            polls: PollState::clone(&account.polls()),
            is_stalled,
            catch_up: catch_up
                .filter(|_| account.is_catching_up())
                .map(|catch_up| *catch_up),
            watermark: metrics.watermark.get(),
            pending: metrics.pending_events.get(),
        }
    }

    pub(super) fn urgency(&self) -> Urgency {
        urgency(&self.polls, self.is_stalled, self.catch_up.is_some())
    }

    /// Returns how polls go, in two or three words.
    pub(super) fn state(&self, now: Timestamp) -> String {
        match (self.urgency(), &self.polls.failing) {
            (Urgency::Failing, Some(failing)) => {
                format!("failing for {}", span(now.duration_since(failing.since)))
            }
            (Urgency::Failing, None) => "stalled".to_owned(),
            (Urgency::CatchingUp, _) => "catching up".to_owned(),
            (Urgency::Waiting, _) => "not polled yet".to_owned(),
            (Urgency::Succeeding, _) => "ok".to_owned(),
        }
    }

    /// Returns what there is to know or to do; `None` if polls succeed or have not begun.
    pub(super) fn detail(&self, now: Timestamp) -> Option<String> {
        if self.is_stalled {
            return Some(STALLED.to_owned());
        }
        if let Some(catch_up) = &self.catch_up {
            return Some(self.progress(catch_up, now));
        }
        let failing = self.polls.failing.as_ref()?;
        let error = failing.error.trim_end_matches('.');
        Some(format!("Since {}: {error}.", at(failing.since)))
    }

    /// Returns the reason for which polls fail as far as other accounts may have it in common:
    /// without the trace id of the answer, and without the advice, which names the settings of
    /// the account. `None` if polls do not fail, or for another reason.
    pub(super) fn cause(&self) -> Option<&str> {
        let failing = self.polls.failing.as_ref()?;
        let ends = [", X-Nexmo-Trace-Id ", "; "].map(|end| failing.error.find(end));
        let end = ends.into_iter().flatten().min();
        let is_shown = !self.is_stalled && self.catch_up.is_none();
        let cause = end.and_then(|end| failing.error.get(..end));
        is_shown.then_some(cause.unwrap_or(&failing.error))
    }

    /// Returns what there is to know or to do for several accounts with the same cause, of
    /// which this is the first.
    pub(super) fn common_detail(&self, accounts: usize) -> Option<String> {
        let failing = self.polls.failing.as_ref()?;
        let name = self.name.as_deref().unwrap_or_default();
        let error = failing.error.trim_end_matches('.');
        Some(format!(
            "{} accounts fail for one reason, {name} since {}: {error}.",
            number(accounts),
            at(failing.since)
        ))
    }

    /// Says how far history or an outage is read.
    fn progress(&self, catch_up: &CatchUp, now: Timestamp) -> String {
        let up_to = self.watermark.unwrap_or(catch_up.from);
        let left = now.duration_since(up_to);
        let mut text = format!(
            "Everything from {} up to {} is counted, and the events of {} since then are still to be read",
            at(catch_up.from),
            at(up_to),
            span(left)
        );
        if let Some(rest) = self.rest(catch_up, now) {
            // Writing to a String cannot fail.
            let _ = write!(text, ", which takes about {} at this pace", span(rest));
        }
        if catch_up.is_history {
            text.push_str(". It is the history that the first start asks for: nothing of it is shown before its end");
        }
        text.push('.');
        text
    }

    /// Returns how much of the time is read, in percent.
    pub(super) fn percent(&self, now: Timestamp) -> Option<i64> {
        let catch_up = self.catch_up.as_ref()?;
        let whole = now.duration_since(catch_up.from).as_secs().max(1);
        let up_to = self.watermark.unwrap_or(catch_up.from);
        let done = up_to.duration_since(catch_up.from).as_secs();
        Some((done.saturating_mul(100) / whole).clamp(0, 100))
    }

    /// Returns how long the rest of a catch-up takes at its pace so far; `None` if that
    /// cannot be told.
    fn rest(&self, catch_up: &CatchUp, now: Timestamp) -> Option<SignedDuration> {
        let (up_to, CatchUp { from, began, .. }) = (self.watermark?, *catch_up);
        let took = now.duration_since(began);
        let done = up_to.duration_since(from).as_secs();
        let left = now.duration_since(up_to).as_secs();
        if took < ESTIMATE_AFTER || done <= 0 || left < 0 {
            return None;
        }
        let rest = i128::from(took.as_secs()) * i128::from(left) / i128::from(done);
        Some(SignedDuration::from_secs(i64::try_from(rest).ok()?))
    }
}

/// Returns the urgency of an account whose polls go like this.
pub(super) fn urgency(polls: &PollState, is_stalled: bool, is_catching_up: bool) -> Urgency {
    match (&polls.failing, polls.last_success) {
        _ if is_stalled => Urgency::Failing,
        _ if is_catching_up => Urgency::CatchingUp,
        (Some(_), _) => Urgency::Failing,
        (None, None) => Urgency::Waiting,
        (None, Some(_)) => Urgency::Succeeding,
    }
}

/// Returns a sentence about the limit of the API.
pub(super) fn limit(events: u64) -> String {
    let events = number(events);
    format!(
        "The Audit API shows no more than {events} events of one query, so longer ranges are read in parts. The exporter checks once a day whether the limit is still there."
    )
}
