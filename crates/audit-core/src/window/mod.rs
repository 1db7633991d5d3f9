//! The window says which events are new, by the watermark, the lookback and the ids
//! already seen.
//!
//! ```text
//!            floor        watermark − lookback     watermark      now
//!   ───────────┼────────────────────┼──────────────────┼────────────┼──▶ created_at
//!   not counted│ ids are remembered │ read again by    │ read for   │
//!   any more   │                    │ every poll       │ the first  │
//!              │                    │                  │ time       │
//! ```
//!
//! An event is new if its id is not remembered and it was not created before the floor.
//! Every id from the floor on is remembered, so that no event is counted twice, however
//! often, in whatever order and however late the API shows it.

mod bloom_filter;
mod ids;
mod lateness;

pub use ids::Ids;
pub use lateness::RegularLateness;

use jiff::{SignedDuration, Timestamp};

use crate::event::EventId;
use ids::Before;
use lateness::Lateness;

/// How far back a window reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSettings {
    /// The span before the watermark that every poll reads again.
    pub lookback: SignedDuration,
    /// The time from the creation of an event until its id is forgotten. Must be at least
    /// as long as any sweep reaches back.
    pub retention: SignedDuration,
}

/// The answer of [`Window::admit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The event is seen for the first time and has to be counted.
    New {
        /// The time of creation; the time of the answer if the event has none.
        created_at: Timestamp,
    },
    /// The id is remembered.
    Duplicate,
    /// The event was created before the floor: before the start, or so long ago that it is
    /// no longer known whether it was counted.
    BeforeFloor,
}

/// The times of the two clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The time of the API, from the header `Date` of an answer. Times of creation should be
    /// by the same clock.
    pub api: Timestamp,
    /// The time of this machine.
    pub local: Timestamp,
}

impl Clocks {
    /// Returns the earlier of the two times, which is not in the future by either clock.
    #[must_use]
    pub fn earliest(&self) -> Timestamp {
        self.api.min(self.local)
    }

    /// Returns the later of the two times, which is not in the past by either clock.
    #[must_use]
    pub fn latest(&self) -> Timestamp {
        self.api.max(self.local)
    }

    /// Returns the time after which an event proves that the earlier clock is wrong; `None`
    /// if the clocks are so close that only a time zone may be between them.
    #[must_use]
    pub fn disproved_after(&self) -> Option<Timestamp> {
        let limit = self.earliest().saturating_add(TIME_ZONE).ok()?;
        (self.latest() > limit).then_some(limit)
    }

    /// Returns the clocks with the later one in the place of the earlier one.
    #[must_use]
    pub fn without_the_earlier(&self) -> Self {
        Self {
            api: self.latest(),
            local: self.latest(),
        }
    }
}

/// A span that is longer than any time zone is off UTC: a time that is written in a wrong zone
/// is wrong by less.
const TIME_ZONE: SignedDuration = SignedDuration::from_hours(15);

/// The window of one account.
#[derive(Debug, Clone)]
pub struct Window {
    settings: WindowSettings,
    floor: Timestamp,
    watermark: Option<Timestamp>,
    /// The time at which the sweep under way first read a piece to which the API may add
    /// late events.
    open_since: Option<Timestamp>,
    newest: Option<Timestamp>,
    /// Like `newest`, but of all elements, malformed ones included.
    newest_element: Option<Timestamp>,
    /// Each id, at the latest time that the API has shown for it. The time of an event
    /// without a readable time is its last appearance.
    seen: Ids,
    /// The ids that were remembered since the last commit.
    fresh: Vec<Remembered>,
    lateness: Lateness,
}

/// An id and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// The time of creation; the time when the event was last seen if it has none.
    pub time: Timestamp,
    /// The id.
    pub id: EventId,
}

/// The stored state of a window, apart from its ids.
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
    /// Returns a window that has seen nothing. Events created from `start` on are new to
    /// it.
    #[must_use]
    pub fn new(settings: WindowSettings, start: Timestamp) -> Self {
        Self {
            settings,
            floor: start,
            watermark: None,
            open_since: None,
            newest: None,
            newest_element: None,
            seen: Ids::new(settings.retention),
            fresh: Vec::new(),
            lateness: Lateness::default(),
        }
    }

    /// Returns a window as it was stored, but for its ids: [`Window::recall`] has to be called
    /// before the next event.
    #[must_use]
    pub fn restore(settings: WindowSettings, saved: SavedWindow) -> Self {
        let mut window = Self::new(settings, saved.floor);
        window.watermark = saved.watermark;
        window.newest = saved.newest;
        window.newest_element = saved.newest;
        // The retention may have been longer when the ids were stored. If they were put into
        // buckets for a shorter one, there would be so many buckets that it takes minutes.
        let stored = saved.newest.unwrap_or(saved.floor);
        let stored = stored.duration_since(saved.floor);
        window.seen = Ids::new(settings.retention.max(stored));
        window
    }

    /// Returns an empty set for the ids that were stored.
    #[must_use]
    pub fn no_ids(&self) -> Ids {
        self.seen.without_ids()
    }

    /// Remembers the ids that were stored. They come from [`Window::no_ids`], and may contain
    /// ids from before the floor.
    pub fn recall(&mut self, ids: Ids) {
        self.seen = ids;
    }

    /// Returns what a commit stores, apart from ids.
    pub(crate) fn saved(&self) -> SavedWindow {
        SavedWindow {
            floor: self.floor,
            watermark: self.watermark,
            newest: self.newest,
        }
    }

    /// Returns the ids that were remembered since [`Window::confirm`].
    #[must_use]
    pub fn fresh(&self) -> &[Remembered] {
        &self.fresh
    }

    /// Records that all fresh ids are stored.
    pub fn confirm(&mut self) {
        self.fresh.clear();
    }

    /// Returns the moment up to which everything was read; `None` before the first whole
    /// sweep.
    #[must_use]
    pub fn watermark(&self) -> Option<Timestamp> {
        self.watermark
    }

    /// Returns the watermark as far as it can be believed when a sweep begins. `local` is the
    /// time of this machine.
    ///
    /// A watermark in the future came from a clock that was wrong. It does not tell what was
    /// read.
    #[must_use]
    pub fn believed_watermark(&self, local: Timestamp) -> Option<Timestamp> {
        self.watermark.filter(|watermark| *watermark <= local)
    }

    /// Returns the time of creation of the newest event admitted. A time in the future
    /// counts as the time of the answer.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Returns the number of ids that are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.seen.len()
    }

    /// Begins a sweep, and returns the moment from which it has to read. `local` is the time
    /// of this machine. Without a [believed watermark](Window::believed_watermark),
    /// everything from the floor on is read again.
    pub fn begin_sweep(&mut self, local: Timestamp) -> Timestamp {
        self.open_since = None;
        self.start_behind(self.settings.lookback, local)
    }

    /// Returns the moment from which a deep sweep that reaches `depth` back has to read.
    ///
    /// A deep sweep reaches back from the watermark and not from now. After an outage that
    /// was longer than `depth`, it would otherwise begin after events that were not read
    /// yet.
    #[must_use]
    pub fn deep_sweep_start(&self, depth: SignedDuration, local: Timestamp) -> Timestamp {
        self.start_behind(depth.max(self.settings.lookback), local)
    }

    fn start_behind(&self, span: SignedDuration, local: Timestamp) -> Timestamp {
        let Some(watermark) = self.believed_watermark(local) else {
            return self.floor;
        };
        earlier(watermark, span).max(self.floor)
    }

    /// Returns whether an event is new, and remembers its id. `now` is the time of the
    /// answer that shows the event, by the clock of the API.
    pub fn admit(
        &mut self,
        id: EventId,
        created_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Admission {
        // An event without a time was created when it was first seen, which is never
        // before the floor, even if the clock has stepped back.
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
        self.newest_element = self.newest_element.max(self.newest);
        Admission::New { created_at: time }
    }

    /// Returns `true` if a new event is late: created longer before `watermark` than polls
    /// look back, so that only a deep sweep is sure to show it. `watermark` is the believed
    /// watermark with which the sweep began; an event that an outage delayed was created
    /// after it. Without one, no event is late.
    pub(crate) fn is_late(
        &mut self,
        created_at: Option<Timestamp>,
        watermark: Option<Timestamp>,
    ) -> bool {
        let (Some(created_at), Some(watermark)) = (created_at, watermark) else {
            return false;
        };
        let late_by = watermark.duration_since(created_at);
        let is_late = late_by > self.settings.lookback;
        if is_late {
            self.lateness.add_late(late_by);
        } else {
            self.lateness.add_in_time();
        }
        is_late
    }

    /// Returns by which span events are late again and again, the first time that they are.
    /// To be called when a deep sweep has ended; `between` is the time between two deep
    /// sweeps.
    pub fn regular_lateness(&mut self, between: SignedDuration) -> Option<RegularLateness> {
        // A deep sweep begins after a poll, and polls are no further apart than the lookback.
        let spread = between.saturating_add(self.settings.lookback);
        self.lateness.judge(spread)
    }

    /// Returns whether a malformed element is new, and remembers it. It does not change
    /// [`Window::newest`].
    pub(crate) fn admit_malformed(&mut self, id: EventId, now: Timestamp) -> Admission {
        let newest = self.newest;
        let admission = self.admit(id, None, now);
        self.newest = newest;
        admission
    }

    /// Records that a sweep that began at `started` has read everything. Moves the
    /// watermark, and forgets ids that no sweep can show again.
    ///
    /// The watermark becomes the earlier of the two times of `started`, or an earlier time
    /// that [`Window::complete_piece`] has found. Reading a span again costs a request;
    /// trusting a clock that is ahead costs events.
    pub fn complete_sweep(&mut self, started: Clocks) {
        self.complete_piece(started.earliest(), started);
        self.open_since = None;
    }

    /// Records that everything created up to `up_to` was read at `now`.
    ///
    /// The watermark moves back only if it lies in the future, where a clock that was
    /// wrong has set it. It does not pass the time at which the sweep first read a part of
    /// its last lookback: events that the API adds to that part later have to be read by the
    /// next sweep, however long this sweep takes.
    pub fn complete_piece(&mut self, up_to: Timestamp, now: Clocks) {
        let now = now.earliest();
        if up_to > earlier(now, self.settings.lookback) {
            self.open_since.get_or_insert(now);
        }
        let up_to = self.open_since.map_or(up_to, |since| up_to.min(since));
        let believed = self.watermark.filter(|watermark| *watermark <= now);
        let watermark = believed
            .map_or(up_to, |believed| believed.max(up_to))
            .min(now);
        self.watermark = Some(watermark);
        self.forget(watermark);
    }

    /// Raises the floor to `retention` before `watermark`, or before the newest element if
    /// that is earlier, so that nothing is lost even if both clocks were wrong.
    ///
    /// A catch-up that is days behind forgets no sooner, although its own pieces and the deep
    /// sweep after it ask only for the lookback before the watermark and for the retention before
    /// now. An event without a remembered id must be before the floor, and a floor so close to
    /// the watermark would refuse all events that the API shows in a time zone of hours behind.
    fn forget(&mut self, watermark: Timestamp) {
        let Some(newest_element) = self.newest_element else {
            return;
        };
        let horizon = earlier(watermark.min(newest_element), self.settings.retention);
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
