//! The publish gate: when a count may be shown, so that every server that scrapes
//! sees each step.
//!
//! ```text
//!            first scraper ever          no scrape for longer than H
//!   open to all ─────────────▶ standing still ◀───────────────────── running
//!                                    │                                  ▲
//!                                    └── H after the next scrape ───────┘
//! ```
//!
//! Open to all: nobody has a baseline to protect, everything is shown at once.
//! Standing still: what is shown does not change, so that a server that was away
//! sees the old value before it sees the step. Running: counts are shown as they
//! are committed, but for a new series, which stays at its first value until every
//! server has had the time to see it. Pure: `now` is a span since the process
//! started.

mod scrapers;

pub use scrapers::{LONGEST_ABSENCE, SavedScraper, Scrape, ScraperId, UNKNOWN_INTERVAL};

use std::{collections::VecDeque, time::Duration};

use scrapers::Scrapers;

/// The longest that a scrape takes beyond its interval: the default time limit
/// of Prometheus.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);
/// Generations whose first scrape is remembered; more only delay a new series.
const GENERATIONS_KEPT: usize = 1024;

/// How much later than told a scraper may come before that is worth a word.
const TOLERANCE: f64 = 1.5;

/// How the scrape interval is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScrapeInterval {
    /// Learned from the scrapes.
    Learned,
    /// Told by the user.
    Fixed(Duration),
    /// The gate is off: everything is shown at once.
    Off,
}

/// What of the gate outlives the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedGate {
    /// Whether anyone ever scraped.
    pub begun: bool,
    /// Who did, lately.
    pub scrapers: Vec<SavedScraper>,
    /// When this was so, since the process started: what is later holds good.
    pub taken: Duration,
}

/// When a count may be shown.
#[derive(Debug, Clone)]
pub struct Gate {
    setting: ScrapeInterval,
    begun: bool,
    scrapers: Scrapers,
    last_scrape: Option<Duration>,
    /// The first scrape since the start or since the last long gap.
    resumed: Option<Duration>,
    /// When each generation was first served, in order.
    first_served: VecDeque<(u64, Duration)>,
}

impl Gate {
    /// The gate of a process that starts now, at zero.
    #[must_use]
    pub fn new(setting: ScrapeInterval, memory: &SavedGate) -> Self {
        let mut scrapers = Scrapers::default();
        for known in &memory.scrapers {
            scrapers.remember(*known, Duration::ZERO);
        }
        Self {
            setting,
            begun: memory.begun,
            scrapers,
            last_scrape: None,
            resumed: None,
            first_served: VecDeque::new(),
        }
    }

    /// What is to be stored.
    #[must_use]
    pub fn saved(&self, now: Duration) -> SavedGate {
        SavedGate {
            begun: self.begun,
            scrapers: self.scrapers.known(now).collect(),
            taken: now,
        }
    }

    /// This was stored.
    pub fn confirm(&mut self, memory: &SavedGate) {
        self.scrapers.confirm(&memory.scrapers);
    }

    /// Whether what must outlive the process is not stored yet.
    #[must_use]
    pub fn is_unstored(&self, now: Duration) -> bool {
        self.scrapers.any_unstored(now)
    }

    /// Whether a scraper may be shown events. Not before it is stored that it is
    /// there: after a crash nobody would wait for it, and a series could begin for
    /// it without the value that its steps are counted from.
    #[must_use]
    pub fn may_show(&self, scraper: ScraperId) -> bool {
        self.setting == ScrapeInterval::Off || self.scrapers.may_show(scraper)
    }

    /// Takes note that `scraper` is about to be answered, so that the next commit
    /// stores it. Returns whether it may be shown events already.
    pub fn announce(&mut self, scraper: ScraperId, now: Duration) -> bool {
        self.begun = true;
        self.scrapers.announce(scraper, now);
        self.may_show(scraper)
    }

    /// Takes note of a scrape that is answered with `generation` of the exposition.
    /// Returns whether the answer may show events; an answer without events has shown
    /// no generation.
    pub fn note(&mut self, scrape: Scrape, generation: u64, now: Duration) -> bool {
        let may_show = self.may_show(scrape.scraper);
        let generation = if may_show { generation } else { 0 };
        if self.is_away(now) {
            self.resumed = Some(now);
        }
        self.begun = true;
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
        self.scrapers.note(scrape, generation, now);
        may_show
    }

    /// H: how long a value must have been on show before every server has seen it.
    /// Two intervals, since a server may miss a scrape, and the time that a scrape
    /// may take.
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

    /// Whether nobody has a baseline to protect.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        !self.begun || self.setting == ScrapeInterval::Off
    }

    /// Whether a step of a series that every server has seen may be shown.
    #[must_use]
    pub fn is_running(&self, now: Duration) -> bool {
        if self.is_open_to_all() {
            return true;
        }
        let held = |resumed| now >= resumed + self.hold(now);
        !self.is_away(now) && self.resumed.is_some_and(held)
    }

    /// Whether every server has had the time to see what `generation` showed: it
    /// was served so long ago, and also to each server that is known and may yet
    /// come back.
    #[must_use]
    pub fn is_seen_by_all(&self, generation: u64, now: Duration) -> bool {
        let first = self
            .first_served
            .iter()
            .find(|(served, _)| *served >= generation);
        let held = first.is_some_and(|(_, served)| now >= *served + self.hold(now));
        held && self.scrapers.all_served(generation, now)
    }

    /// How often a scraper comes that comes less often than the user said.
    #[must_use]
    pub fn slower_than_told(&self, scraper: ScraperId) -> Option<Duration> {
        let ScrapeInterval::Fixed(told) = self.setting else {
            return None;
        };
        let kept = self.scrapers.learned_interval(scraper)?;
        (kept > told.mul_f64(TOLERANCE)).then_some(kept)
    }

    fn is_away(&self, now: Duration) -> bool {
        self.last_scrape
            .is_none_or(|last| now.saturating_sub(last) > self.hold(now))
    }
}

#[cfg(test)]
mod tests;
