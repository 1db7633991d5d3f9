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

mod sweep;

pub use sweep::{Range, Step, Sweep};

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::event::EventId;

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
    floor: Timestamp,
    watermark: Option<Timestamp>,
    newest: Option<Timestamp>,
    /// Id and creation time in seconds since the epoch. An event without a
    /// readable time is as young as its last appearance.
    seen: HashMap<EventId, i64>,
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
            seen: HashMap::new(),
        }
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

    /// Events created before this moment are not counted.
    #[must_use]
    pub fn floor(&self) -> Timestamp {
        self.floor
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
        let Some(watermark) = self.watermark.filter(|watermark| *watermark <= local) else {
            return self.floor;
        };
        earlier(watermark, self.settings.lookback).max(self.floor)
    }

    /// Says whether an event is new, and remembers it.
    pub fn admit(
        &mut self,
        id: EventId,
        created_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Admission {
        let time = created_at.unwrap_or(now);
        if time < self.floor {
            return Admission::BeforeFloor;
        }
        if let Some(remembered) = self.seen.get_mut(&id) {
            if created_at.is_none() {
                *remembered = time.as_second();
            }
            return Admission::Duplicate;
        }
        self.seen.insert(id, time.as_second());
        self.newest = self.newest.max(Some(time.min(now)));
        Admission::New {
            late: time < earlier(now, self.settings.lookback),
            created_at: time,
        }
    }

    /// A whole sweep that began at `started` has succeeded: the watermark moves,
    /// and what no sweep can show any more is forgotten.
    ///
    /// The watermark is the API's time, or the local time where that is earlier:
    /// reading a stretch again costs a request, trusting a clock that is ahead
    /// costs events.
    pub fn complete_sweep(&mut self, started: Clocks) {
        let watermark = started.earliest();
        self.watermark = Some(watermark);
        self.forget(watermark);
    }

    /// Raises the floor to `retention` before `watermark`, but never past what
    /// the newest event vouches for: if both clocks were wrong, nothing is lost.
    fn forget(&mut self, watermark: Timestamp) {
        let Some(newest) = self.newest else { return };
        let horizon = earlier(watermark.min(newest), self.settings.retention);
        if horizon > self.floor {
            self.floor = horizon;
            let first_kept = horizon.as_second();
            self.seen.retain(|_, time| *time >= first_kept);
        }
    }
}

fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
