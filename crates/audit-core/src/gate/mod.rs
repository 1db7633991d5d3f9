//! The publish gate decides when a count may be shown, so that every scraper sees every
//! step of a counter. A scraper is a server that scrapes.
//!
//! Prometheus computes `increase()` from the samples that it has, and would miss two kinds
//! of events. A series that begins at 1 has no increase, so its first event is not seen. A
//! step during the absence of a scraper is seen only if the scraper gets the old value once
//! more before it gets the new one. In both cases the gate shows the earlier value for long
//! enough before it lets the value change.
//!
//! ```text
//!            first scraper ever          no scrape for longer than H
//!   open to all ─────────────▶ standing still ◀───────────────────── running
//!                                    │                                  ▲
//!                                    └── H after the next scrape ───────┘
//! ```
//!
//! Until the first scrape ever the gate is open to all ([`Gate::is_open_to_all`]): no
//! scraper has a sample yet, and every count is shown at once. After that the gate is in
//! one of two states, and a process always starts standing still:
//!
//! - **Standing still**: no value changes, so that a scraper that was away sees the old
//!   value before it sees the step.
//! - **Running** ([`Gate::is_running`]): counts are shown as they are committed, except
//!   those of a new series.
//!
//! The **hold** H ([`Gate::hold`]) is the time within which every scraper scrapes: two
//! scrape intervals, since a scraper may miss one scrape, and the time that a scrape may
//! take. The interval is the one that the user has set, or the longest that was learned;
//! a minute is assumed while no interval is known.
//!
//! - **A new series** stays at its first value until every scraper has seen that value
//!   ([`Gate::sight`]): H has passed since the first scrape that showed it, and every
//!   scraper was served it twice. A scraper that has been away for longer than
//!   [`LONGEST_ABSENCE`] and three of its intervals is not waited for, nor is one whose
//!   place another scraper has taken.
//! - **After a start, or after no scrape for longer than H**, every series stands still
//!   until H has passed since the next scrape ([`Gate::is_running`]).
//! - **A scraper that is not stored** is shown no events ([`Gate::may_show`]). After a crash
//!   the gate would not wait for such a scraper, and a new series could begin for it above
//!   the first value. [`Gate::has_unstored_scraper`] says that a commit is due.
//!
//! Two bounds overrule these rules ([`Gate::is_overdue`]): a step of a series that was seen
//! waits for at most two holds, and an event of a new series for at most
//! [`LONGEST_ABSENCE`]. They are measured by a clock that goes on over restarts
//! ([`Gate::wait_time`]), so that no crash loop makes the gate silent. What the bounds let
//! through is counted ([`Changes::gate_timeouts`](crate::ledger::Changes::gate_timeouts)).
//!
//! **No single request changes H**, makes a count wait for long, or ends the standstill
//! while a server that keeps coming is away, since any client can send one that looks like a
//! scrape. Until the interval of a scraper is known, after three
//! gaps, a new series waits for it for about a minute after the series was first shown.
//!
//! A [`SavedGate`] is stored with each commit: that the gate is no longer open to all,
//! the scrapers with their intervals, and the clock of the waits. After a restart the gate
//! waits for all of these scrapers.
//!
//! The exporter's module `src/gate` shares one [`Gate`] between its pollers and its
//! server. [`Ledger::changes`](crate::ledger::Ledger::changes) asks the gate before each
//! commit, and every scrape is recorded ([`Gate::announce`], [`Gate::record_scrape`]).
//! Every `now` is the time since the process started.

mod scrapers;
mod wait_clock;

pub use scrapers::{LONGEST_ABSENCE, SavedScraper, Scrape, ScraperId, Sight};

use std::{collections::VecDeque, time::Duration};

use scrapers::{Scrapers, UNKNOWN_INTERVAL};
use wait_clock::WaitClock;

/// The longest time that a scrape is expected to take: the default time limit of
/// Prometheus.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
/// The number of generations whose first scrape is remembered. A new series is delayed, and
/// nothing is lost, if there are more.
const GENERATIONS_KEPT: usize = 1024;
/// The factor by which a learned interval may exceed the interval that the user has set
/// before [`Gate::interval_above_setting`] returns it.
const TOLERANCE: f64 = 1.5;
/// How far the stored clock of the waits may be behind while a count waits.
const WAIT_TIME_KEPT: Duration = Duration::from_secs(30);

/// How the gate knows the scrape interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScrapeInterval {
    /// The interval is learned from the scrapes.
    Learned,
    /// The user has set the interval.
    Fixed(Duration),
    /// The gate is off: everything is shown at once.
    Off,
}

/// The stored state of the gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedGate {
    /// `true` if a server has ever scraped.
    pub was_scraped: bool,
    /// The scrapers that the gate waits for.
    pub scrapers: Vec<SavedScraper>,
    /// The reading of the clock by which waits are bounded; see [`Gate::wait_time`].
    pub wait_time: Duration,
    /// The time since the state was stored, by the wall clock; zero for a state that is to
    /// be stored, and if the clock was set back since.
    pub away: Duration,
    /// The time since the process started at which the gate was in this state. Of two
    /// states of one process, the later is the valid one.
    pub taken: Duration,
}

/// What a scrape has told of its scraper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// `true` if the scraper calls the exporter by another name than before.
    pub is_renamed: bool,
    /// `true` if the interval is learned, and the scraper surely is several servers that
    /// cannot be told apart.
    pub is_pooled: bool,
    /// `true` if the scraper is back after another one has taken its place, so that it may
    /// have missed what was shown meanwhile.
    pub was_replaced: bool,
}

/// The rules by which a count may be shown, and what they depend on.
#[derive(Debug, Clone)]
pub struct Gate {
    setting: ScrapeInterval,
    was_scraped: bool,
    scrapers: Scrapers,
    wait_clock: WaitClock,
    /// The reading of `wait_clock` that is stored.
    stored_wait_time: Duration,
    /// The last scrape of what may be a server; see [`Scrapers::may_be_server`].
    last_scrape: Option<Duration>,
    /// The first scrape since the process started, or since a silence (see
    /// [`Gate::is_silent`]) if one came later.
    first_after_silence: Option<Duration>,
    /// `true` if H had passed since `first_after_silence` at a scrape. The gate then goes on
    /// running until the next silence, even if H grows.
    was_running: bool,
    /// The generations in order, each with the time at which it was first served.
    first_served: VecDeque<(u64, Duration)>,
}

impl Gate {
    /// Returns the gate of a process that starts now, at a time of zero. `saved` is what an
    /// earlier process has stored.
    #[must_use]
    pub fn new(setting: ScrapeInterval, saved: &SavedGate) -> Self {
        let mut scrapers = Scrapers::new(match setting {
            ScrapeInterval::Fixed(interval) => interval,
            ScrapeInterval::Learned | ScrapeInterval::Off => Duration::ZERO,
        });
        for scraper in &saved.scrapers {
            scrapers.restore(scraper, Duration::ZERO);
        }
        Self {
            setting,
            was_scraped: saved.was_scraped,
            scrapers,
            wait_clock: WaitClock::restored(saved.wait_time, saved.away),
            stored_wait_time: saved.wait_time,
            last_scrape: None,
            first_after_silence: None,
            was_running: false,
            first_served: VecDeque::new(),
        }
    }

    /// Returns what the next commit has to store.
    #[must_use]
    pub fn saved(&self, now: Duration) -> SavedGate {
        SavedGate {
            was_scraped: self.was_scraped,
            scrapers: self.scrapers.saved(now).collect(),
            wait_time: self.wait_time(now),
            away: Duration::ZERO,
            taken: now,
        }
    }

    /// Records that `saved` is stored.
    pub fn confirm(&mut self, saved: &SavedGate) {
        self.scrapers.confirm(&saved.scrapers);
        self.stored_wait_time = saved.wait_time;
    }

    /// Returns `true` if the gate waits for a scraper that is not stored yet.
    #[must_use]
    pub fn has_unstored_scraper(&self, now: Duration) -> bool {
        self.scrapers.has_unstored(now)
    }

    /// Returns `true` if an answer to `scraper` may show events: the scraper is stored, or
    /// the gate is off. After a crash the gate would not wait for a scraper that is not
    /// stored, and a series could begin for it without the value from which its steps are
    /// counted.
    #[must_use]
    pub fn may_show(&self, scraper: ScraperId) -> bool {
        self.setting == ScrapeInterval::Off || self.scrapers.may_show(scraper)
    }

    /// Records that `scraper` is about to be answered, so that the next commit stores it.
    /// Returns `true` if the answer may show events already.
    pub fn announce(&mut self, scraper: ScraperId, now: Duration) -> bool {
        self.was_scraped = true;
        self.scrapers.announce(scraper, now);
        self.may_show(scraper)
    }

    /// Records a scrape that was answered with `generation` of the exposition; 0 if the
    /// answer showed no events.
    pub fn record_scrape(&mut self, scrape: Scrape, generation: u64, now: Duration) -> Recorded {
        let known_target = self.scrapers.target(scrape.scraper);
        // H is that of before this scrape, in which its interval may be learned.
        let hold = self.hold(now);
        self.was_running = !self.is_open_to_all() && self.is_running(now);
        if self.scrapers.may_be_server(scrape.scraper, now) {
            if self.is_silent(now) {
                self.first_after_silence = Some(now);
            }
            self.last_scrape = Some(now);
        }
        self.wait_clock.record_scrape(now, hold);
        self.was_scraped = true;
        if self
            .first_served
            .back()
            .is_none_or(|(newest, _)| *newest < generation)
        {
            self.first_served.push_back((generation, now));
        }
        if self.first_served.len() > GENERATIONS_KEPT {
            self.first_served.pop_front();
        }
        let was_replaced = self.scrapers.record_scrape(scrape, generation, now);
        Recorded {
            is_renamed: scrape.target != 0
                && known_target.is_some_and(|known| known != scrape.target),
            is_pooled: self.setting == ScrapeInterval::Learned
                && self.scrapers.is_surely_pooled(scrape.scraper),
            was_replaced,
        }
    }

    /// Returns the hold H: how long a value must have been shown before every scraper has
    /// seen it. H is two scrape intervals, since a scraper may miss one scrape, and the
    /// time that a scrape may take. It is zero if the gate is off.
    #[must_use]
    pub fn hold(&self, now: Duration) -> Duration {
        hold_of(self.interval(now))
    }

    /// Returns the scrape interval that the user has set, or else the longest that is known,
    /// or else a minute. It is zero if the gate is off.
    #[must_use]
    pub fn interval(&self, now: Duration) -> Duration {
        match self.setting {
            ScrapeInterval::Off => Duration::ZERO,
            ScrapeInterval::Fixed(interval) => interval,
            ScrapeInterval::Learned => self
                .scrapers
                .longest_interval(now)
                .unwrap_or(UNKNOWN_INTERVAL),
        }
    }

    /// Returns `true` if every count may be shown at once: no server has ever scraped, or
    /// the gate is off.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        !self.was_scraped || self.setting == ScrapeInterval::Off
    }

    /// Returns `true` if counts may be shown, except those of a new series whose first
    /// value not every scraper has seen.
    #[must_use]
    pub fn is_running(&self, now: Duration) -> bool {
        if self.is_open_to_all() {
            return true;
        }
        let held = |first| now >= first + self.hold(now);
        !self.is_silent(now) && (self.was_running || self.first_after_silence.is_some_and(held))
    }

    /// Returns how far the scrapers have seen what `generation` showed. They have seen it
    /// if H has passed since the first scrape that was answered with `generation` or a
    /// later one, and each scraper that the gate waits for was served such a generation
    /// twice.
    #[must_use]
    pub fn sight(&self, generation: u64, now: Duration) -> Sight {
        let first = self
            .first_served
            .iter()
            .find(|(served, _)| *served >= generation);
        match first {
            Some((_, first)) if now >= *first + self.hold(now) => {
                self.scrapers.sight(generation, *first, now)
            }
            _ => Sight::Unseen,
        }
    }

    /// Returns the reading at `now` of the clock by which waits are bounded. The clock goes
    /// on over restarts. Of a time in which no server scrapes, at most H counts; and of a
    /// time in which the exporter is down, at most [`LONGEST_ABSENCE`].
    #[must_use]
    pub fn wait_time(&self, now: Duration) -> Duration {
        self.wait_clock.read(now, self.hold(now))
    }

    /// Returns `true` if a count that has waited since the reading `since` of
    /// [`Gate::wait_time`] is shown whatever the scrapers have seen. `is_seen` says whether
    /// every scraper has seen the first value of its series.
    #[must_use]
    pub fn is_overdue(&self, since: Duration, is_seen: bool, now: Duration) -> bool {
        let bound = if is_seen {
            self.hold(now) * 2
        } else {
            LONGEST_ABSENCE
        };
        self.wait_time(now).saturating_sub(since) >= bound
    }

    /// Returns `true` if a commit is due while a count waits, since a process that dies now
    /// would lose too much of what it has waited.
    #[must_use]
    pub fn has_unstored_wait(&self, now: Duration) -> bool {
        self.wait_time(now).saturating_sub(self.stored_wait_time) >= WAIT_TIME_KEPT
    }

    /// Returns the scrapers that keep coming and were not served `generation` or a later one
    /// yet; none if the gate is open to all.
    #[must_use]
    pub fn not_served(&self, generation: u64, now: Duration) -> Vec<ScraperId> {
        if self.is_open_to_all() {
            return Vec::new();
        }
        self.scrapers.not_served(generation, now).collect()
    }

    /// Returns the learned interval of `scraper` if it is clearly longer than the interval
    /// that the user has set.
    #[must_use]
    pub fn interval_above_setting(&self, scraper: ScraperId) -> Option<Duration> {
        let ScrapeInterval::Fixed(setting) = self.setting else {
            return None;
        };
        let learned = self.scrapers.learned_interval(scraper)?;
        (learned > setting.mul_f64(TOLERANCE)).then_some(learned)
    }

    /// Returns `true` if no scrape came for longer than H, or none since the process
    /// started.
    fn is_silent(&self, now: Duration) -> bool {
        self.last_scrape
            .is_none_or(|last| now.saturating_sub(last) > self.hold(now))
    }
}

/// Returns the hold of a scrape interval.
fn hold_of(interval: Duration) -> Duration {
    interval * 2 + interval.min(SCRAPE_TIMEOUT)
}

#[cfg(test)]
mod tests;
