//! Which events are new: the watermark, the lookback and the ids already seen.
//!
//! ```text
//!            floor        watermark − lookback     watermark      now
//!   ───────────┼────────────────────┼──────────────────┼────────────┼──▶ created_at
//!   not counted│ ids are remembered │ read again by    │ read for   │
//!   any more   │                    │ every poll       │ the first  │
//!              │                    │                  │ time       │
//! ```
//!
//! An event counts when its id is not remembered and it was not created before
//! the floor. Every id from the floor on is remembered, so no order, repetition
//! or arrival can count one twice. Pure: time is an argument.

mod ids;

use jiff::{SignedDuration, Timestamp};

use crate::event::EventId;
use ids::{Before, Ids};

/// How far back the window reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSettings {
    /// How far behind the watermark every poll reads again.
    pub lookback: SignedDuration,
    /// How long an id is remembered after its event was created; at least the
    /// furthest that any sweep looks back.
    pub retention: SignedDuration,
}

/// What [`Window::admit`] says of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Seen for the first time: count it.
    New {
        /// It was created longer ago than the lookback, so that only luck or a
        /// deep sweep could show it.
        late: bool,
        /// When it was created; when it was first seen, if that cannot be read.
        created_at: Timestamp,
    },
    /// Counted before.
    Duplicate,
    /// Created before the floor: from before the start, or so long ago that it
    /// is no longer known whether it was counted.
    BeforeFloor,
}

/// The two clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The `Date` of an answer: the clock that `created_at` goes by.
    pub api: Timestamp,
    /// This machine's clock.
    pub local: Timestamp,
}

impl Clocks {
    /// The moment that neither clock says is still to come.
    #[must_use]
    pub fn earliest(&self) -> Timestamp {
        self.api.min(self.local)
    }
}

/// The window of one account.
#[derive(Debug, Clone)]
pub struct Window {
    settings: WindowSettings,
    /// Events created before this moment are not counted.
    floor: Timestamp,
    watermark: Option<Timestamp>,
    newest: Option<Timestamp>,
    /// Like `newest`, of whatever was admitted, events or not.
    vouched: Option<Timestamp>,
    /// At the latest time that each was ever shown with. An event without a
    /// readable time is as young as its last appearance.
    seen: Ids,
    /// What was remembered since the last commit.
    fresh: Vec<Remembered>,
}

/// An id and the time it is remembered at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// When it was created, or last seen if that cannot be read.
    pub time: Timestamp,
    /// The id.
    pub id: EventId,
}

/// What is stored of a window, but for its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedWindow {
    /// Events created before this moment are not counted.
    pub floor: Timestamp,
    /// See [`Window::watermark`].
    pub watermark: Option<Timestamp>,
    /// See [`Window::newest`].
    pub newest: Option<Timestamp>,
}

impl Window {
    /// A window that has seen nothing and counts what is created from `start` on.
    #[must_use]
    pub fn new(settings: WindowSettings, start: Timestamp) -> Self {
        Self {
            settings,
            floor: start,
            watermark: None,
            newest: None,
            vouched: None,
            seen: Ids::new(settings.retention),
            fresh: Vec::new(),
        }
    }

    /// A window as it was stored. An id from before the floor may be among them.
    #[must_use]
    pub fn restore(
        settings: WindowSettings,
        saved: SavedWindow,
        ids: impl IntoIterator<Item = Remembered>,
    ) -> Self {
        let mut window = Self::new(settings, saved.floor);
        window.watermark = saved.watermark;
        window.newest = saved.newest;
        window.vouched = saved.newest;
        for Remembered { time, id } in ids {
            window.seen.remember(id, time);
        }
        window
    }

    /// What a commit stores.
    pub(crate) fn saved(&self) -> SavedWindow {
        SavedWindow {
            floor: self.floor,
            watermark: self.watermark,
            newest: self.newest,
        }
    }

    /// What was remembered since [`Window::confirm`].
    #[must_use]
    pub fn fresh(&self) -> &[Remembered] {
        &self.fresh
    }

    /// Everything fresh was committed.
    pub fn confirm(&mut self) {
        self.fresh.clear();
    }

    /// Up to when everything was read; `None` before the first whole sweep.
    #[must_use]
    pub fn watermark(&self) -> Option<Timestamp> {
        self.watermark
    }

    /// `created_at` of the newest event admitted, and never in the future.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// How many ids are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.seen.len()
    }

    /// Where the next poll begins to read.
    ///
    /// A watermark that lies in the future came from a clock that was wrong. It
    /// cannot say what was read, so everything that is remembered is read again.
    #[must_use]
    pub fn sweep_start(&self, local: Timestamp) -> Timestamp {
        self.start_behind(self.settings.lookback, local)
    }

    /// Where a deep poll begins to read that reaches `depth` back.
    ///
    /// It reaches back from the watermark and not from now: after an outage that
    /// was longer than `depth` it would otherwise begin beyond what was not read
    /// yet, and when it completes the watermark would move over the gap.
    #[must_use]
    pub fn deep_sweep_start(&self, depth: SignedDuration, local: Timestamp) -> Timestamp {
        self.start_behind(depth.max(self.settings.lookback), local)
    }

    fn start_behind(&self, span: SignedDuration, local: Timestamp) -> Timestamp {
        let Some(watermark) = self.watermark.filter(|watermark| *watermark <= local) else {
            return self.floor;
        };
        earlier(watermark, span).max(self.floor)
    }

    /// Says whether an event is new, and remembers it.
    pub fn admit(
        &mut self,
        id: EventId,
        created_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Admission {
        // What has no time was created when it is first seen, and so never before
        // the floor, whatever a clock that steps back says.
        let time = created_at.unwrap_or(now.max(self.floor));
        if time < self.floor {
            return Admission::BeforeFloor;
        }
        let before = self.seen.remember(id, time);
        if before != Before::AsLate {
            self.fresh.push(Remembered { time, id });
        }
        if before != Before::Never {
            return Admission::Duplicate;
        }
        self.newest = self.newest.max(Some(time.min(now)));
        self.vouched = self.vouched.max(self.newest);
        Admission::New {
            late: time < earlier(now, self.settings.lookback),
            created_at: time,
        }
    }

    /// Says whether something that is no event is new, and remembers it. It is no
    /// newest event.
    pub(crate) fn admit_malformed(&mut self, id: EventId, now: Timestamp) -> Admission {
        let newest = self.newest;
        let admission = self.admit(id, None, now);
        self.newest = newest;
        admission
    }

    /// A whole sweep that began at `started` has succeeded: the watermark moves,
    /// and what no sweep can show any more is forgotten.
    ///
    /// The watermark is the API's time, or the local time where that is earlier:
    /// reading a stretch again costs a request, trusting a clock that is ahead
    /// costs events.
    pub fn complete_sweep(&mut self, started: Clocks) {
        self.complete_piece(started.earliest(), started);
    }

    /// Everything created up to `up_to` was read at `now`. The watermark moves
    /// back only from the future, where a clock that was wrong had put it.
    pub fn complete_piece(&mut self, up_to: Timestamp, now: Clocks) {
        let now = now.earliest();
        let believed = self.watermark.filter(|watermark| *watermark <= now);
        let watermark = believed
            .map_or(up_to, |believed| believed.max(up_to))
            .min(now);
        self.watermark = Some(watermark);
        self.forget(watermark);
    }

    /// Raises the floor to `retention` before `watermark`, but never past what
    /// the newest element vouches for: if both clocks were wrong, nothing is lost.
    fn forget(&mut self, watermark: Timestamp) {
        let Some(vouched) = self.vouched else { return };
        let horizon = earlier(watermark.min(vouched), self.settings.retention);
        if horizon > self.floor {
            self.floor = horizon;
            self.seen.forget_before(horizon);
        }
    }
}

fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
