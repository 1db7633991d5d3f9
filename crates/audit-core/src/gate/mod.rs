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
//! take. The interval is the one that the user has set, or the longest that was learned; a
//! minute is assumed of a scraper whose interval is not known yet.
//!
//! - **A new series** stays at its first value until every scraper has seen that value
//!   ([`Gate::is_seen_by_all`]): H has passed since the first scrape that showed it, and
//!   every scraper was served it twice. A scraper that has been away for longer than
//!   [`LONGEST_ABSENCE`] and three of its intervals is not waited for.
//! - **After a start, or after no scrape for longer than H**, every series stands still
//!   until H has passed since the next scrape ([`Gate::is_running`]).
//! - **A scraper that is not stored** is shown no events ([`Gate::may_show`]). After a crash
//!   the gate would not wait for such a scraper, and a new series could begin for it above
//!   the first value. [`Gate::has_unstored_scraper`] says that a commit is due.
//!
//! A [`SavedGate`] is stored with each commit: that the gate is no longer open to all,
//! and the scrapers with their intervals. After a restart the gate waits for all of them.
//!
//! The exporter's module `src/gate` shares one [`Gate`] between its pollers and its
//! server. [`Ledger::changes`](crate::ledger::Ledger::changes) asks the gate before each
//! commit, and every scrape is recorded ([`Gate::announce`], [`Gate::record_scrape`]).
//! Every `now` is the time since the process started.

mod scrapers;

pub use scrapers::{LONGEST_ABSENCE, SavedScraper, Scrape, ScraperId};

use std::{collections::VecDeque, time::Duration};

use scrapers::{Scrapers, UNKNOWN_INTERVAL};

/// The longest time that a scrape is expected to take: the default time limit of
/// Prometheus.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
/// The number of generations whose first scrape is remembered. A new series is delayed, and
/// nothing is lost, if there are more.
const GENERATIONS_KEPT: usize = 1024;
/// The factor by which a learned interval may exceed the interval that the user has set
/// before [`Gate::interval_above_setting`] returns it.
const TOLERANCE: f64 = 1.5;

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
}

/// The rules by which a count may be shown, and what they depend on.
#[derive(Debug, Clone)]
pub struct Gate {
    setting: ScrapeInterval,
    was_scraped: bool,
    scrapers: Scrapers,
    last_scrape: Option<Duration>,
    /// The first scrape since the process started, or since a silence (see
    /// [`Gate::is_silent`]) if one came later.
    first_after_silence: Option<Duration>,
    /// The generations in order, each with the time at which it was first served.
    first_served: VecDeque<(u64, Duration)>,
}

impl Gate {
    /// Returns the gate of a process that starts now, at a time of zero. `saved` is what an
    /// earlier process has stored.
    #[must_use]
    pub fn new(setting: ScrapeInterval, saved: &SavedGate) -> Self {
        let mut scrapers = Scrapers::default();
        for scraper in &saved.scrapers {
            scrapers.restore(*scraper, Duration::ZERO);
        }
        Self {
            setting,
            was_scraped: saved.was_scraped,
            scrapers,
            last_scrape: None,
            first_after_silence: None,
            first_served: VecDeque::new(),
        }
    }

    /// Returns what the next commit has to store.
    #[must_use]
    pub fn saved(&self, now: Duration) -> SavedGate {
        SavedGate {
            was_scraped: self.was_scraped,
            scrapers: self.scrapers.saved(now).collect(),
            taken: now,
        }
    }

    /// Records that `saved` is stored.
    pub fn confirm(&mut self, saved: &SavedGate) {
        self.scrapers.confirm(&saved.scrapers);
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
    pub fn record_scrape(&mut self, scrape: &Scrape, generation: u64, now: Duration) -> Recorded {
        let known_target = self.scrapers.target(scrape.scraper);
        if self.is_silent(now) {
            self.first_after_silence = Some(now);
        }
        self.was_scraped = true;
        self.last_scrape = Some(now);
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
        self.scrapers.record_scrape(scrape, generation, now);
        Recorded {
            is_renamed: scrape.target != 0
                && known_target.is_some_and(|known| known != scrape.target),
            is_pooled: false,
        }
    }

    /// Returns the hold H: how long a value must have been shown before every scraper has
    /// seen it. H is two scrape intervals, since a scraper may miss one scrape, and the
    /// time that a scrape may take. It is zero if the gate is off.
    #[must_use]
    pub fn hold(&self, now: Duration) -> Duration {
        let interval = match self.setting {
            ScrapeInterval::Off => return Duration::ZERO,
            ScrapeInterval::Fixed(interval) => interval,
            ScrapeInterval::Learned => self
                .scrapers
                .longest_interval(now)
                .unwrap_or(UNKNOWN_INTERVAL),
        };
        interval * 2 + interval.min(SCRAPE_TIMEOUT)
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
        !self.is_silent(now) && self.first_after_silence.is_some_and(held)
    }

    /// Returns `true` if every scraper has seen what `generation` showed. Two things are
    /// required: H has passed since the first scrape that was answered with `generation` or
    /// a later one, and each scraper that the gate waits for was served such a generation
    /// twice.
    #[must_use]
    pub fn is_seen_by_all(&self, generation: u64, now: Duration) -> bool {
        let first = self
            .first_served
            .iter()
            .find(|(served, _)| *served >= generation);
        let held = first.is_some_and(|(_, served)| now >= *served + self.hold(now));
        held && self.scrapers.all_served_twice(generation, now)
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

#[cfg(test)]
mod tests;
