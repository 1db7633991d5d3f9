//! The scrapers that the gate knows: how often each of them scrapes, which generations it
//! was served, and whether it is stored.

mod gaps;
mod scraper;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use scraper::Scraper;

pub use scraper::Sight;

/// The interval that is assumed of a scraper until its interval is known.
pub(super) const UNKNOWN_INTERVAL: Duration = Duration::from_mins(1);
/// How long the gate waits for a scraper that stays away: long enough for a server to be
/// restarted or upgraded. A single event waits for no longer either.
pub const LONGEST_ABSENCE: Duration = Duration::from_mins(10);
/// The highest number of scrapers that are remembered, more than any installation has. A
/// scraper that came once makes room for a new one before one that came again, and that one
/// before a server whose interval is known; of equals the one that was not seen for the
/// longest time.
const MAX_SCRAPERS: usize = 64;

/// The identity of a scraper: a hash of its address and its product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScraperId(pub u64);

/// One scrape, as the server saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrape {
    /// The scraper.
    pub scraper: ScraperId,
    /// A hash of the product of the scraper without its version, such as `Prometheus`.
    pub product: u64,
    /// A hash of the name by which the scraper calls the exporter; 0 if it is unknown.
    pub target: u64,
    /// The number of the connection. Two servers behind one address have a connection
    /// each.
    pub connection: u64,
    /// The time limit that the scraper sent with its request, which Prometheus keeps below
    /// its interval; zero if there is none.
    pub timeout: Duration,
}

/// The stored state of a scraper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedScraper {
    /// The scraper.
    pub id: ScraperId,
    /// See [`Scrape::product`].
    pub product: u64,
    /// See [`Scrape::target`].
    pub target: u64,
    /// The interval of the scraper; `None` if it was not known yet.
    pub interval: Option<Duration>,
    /// The time since the last scrape when the state was stored.
    pub unseen_for: Duration,
}

/// All known scrapers.
#[derive(Debug, Clone, Default)]
pub(super) struct Scrapers {
    all: BTreeMap<ScraperId, Scraper>,
    /// The interval that the user has set; zero if intervals are learned.
    set_interval: Duration,
}

impl Scrapers {
    /// Returns no scrapers yet. `set_interval` is the interval that the user has set; zero
    /// if intervals are learned.
    pub(super) fn new(set_interval: Duration) -> Self {
        Self {
            set_interval,
            ..Self::default()
        }
    }

    /// Adds a scraper that an earlier process has stored. The absence of the scraper goes on
    /// at `now`: the time in which the exporter was down does not count, since no server can
    /// scrape then.
    pub(super) fn restore(&mut self, saved: &SavedScraper, now: Duration) {
        self.all.insert(saved.id, Scraper::restored(saved, now));
    }

    /// Returns the scrapers that the gate waits for, as they are to be stored.
    pub(super) fn saved(&self, now: Duration) -> impl Iterator<Item = SavedScraper> {
        self.live(now).map(move |(id, scraper)| SavedScraper {
            id,
            product: scraper.product,
            target: scraper.target,
            interval: scraper.interval_to_store(),
            unseen_for: scraper.absence(now),
        })
    }

    /// Records that the scrapers of `saved`, and no others, are stored.
    pub(super) fn confirm(&mut self, saved: &[SavedScraper]) {
        let stored: BTreeSet<ScraperId> = saved.iter().map(|scraper| scraper.id).collect();
        for (id, scraper) in &mut self.all {
            scraper.stored = stored.contains(id);
        }
    }

    /// Returns `true` if the gate waits for a scraper that is not stored.
    pub(super) fn has_unstored(&self, now: Duration) -> bool {
        self.live(now).any(|(_, scraper)| !scraper.stored)
    }

    /// Returns `true` if `scraper` is stored. As soon as [`MAX_SCRAPERS`] are known, every
    /// scraper may be shown events. Otherwise, with more scrapers than can be remembered,
    /// each would be new at each of its scrapes, and would be shown nothing.
    pub(super) fn may_show(&self, scraper: ScraperId) -> bool {
        let known = self.all.get(&scraper);
        known.is_some_and(|scraper| scraper.stored) || self.all.len() >= MAX_SCRAPERS
    }

    /// Adds `scraper` if it is new, and waits for it again if it is back. It is about to be
    /// answered.
    pub(super) fn announce(&mut self, scraper: ScraperId, now: Duration) {
        if let Some(known) = self.all.get_mut(&scraper) {
            known.announce(now);
        } else {
            self.make_room();
            self.all.insert(scraper, Scraper::new(now));
        }
    }

    /// Records a scrape that was answered with `generation`. Returns `true` if the scraper is
    /// back after another one has taken its place.
    pub(super) fn record_scrape(&mut self, scrape: Scrape, generation: u64, now: Duration) -> bool {
        self.announce(scrape.scraper, now);
        let Some(scraper) = self.all.get_mut(&scrape.scraper) else {
            return false;
        };
        let was_replaced = scraper.record_scrape(scrape, generation, now);
        self.replace_gone(scrape.scraper, now);
        was_replaced
    }

    /// Lets `successor` take the place of the scraper that it follows, if there is one: a
    /// server that was moved or upgraded has another address.
    fn replace_gone(&mut self, successor: ScraperId, now: Duration) {
        let Some(new) = self.all.get(&successor) else {
            return;
        };
        let gone = self
            .all
            .iter()
            .filter(|(_, gone)| gone.is_followed_by(new, self.set_interval, now))
            .min_by_key(|(_, gone)| gone.absence(now))
            .map(|(id, _)| *id);
        let Some(gone) = gone else { return };
        if let Some(gone) = self.all.get_mut(&gone) {
            gone.replace();
        }
        if let Some(new) = self.all.get_mut(&successor) {
            new.has_replaced = true;
        }
    }

    /// Returns `true` if a scrape of `scraper` at `now` may be that of a server: it was seen
    /// before, or the gate waits for no scraper that was seen more than once. A server that is
    /// away has to see the old values when it is back, whatever other clients have requested
    /// meanwhile.
    pub(super) fn may_be_server(&self, scraper: ScraperId, now: Duration) -> bool {
        let is_known = self.all.get(&scraper).is_some_and(Scraper::was_seen);
        is_known || !self.live(now).any(|(_, scraper)| scraper.keeps_coming())
    }

    /// Returns the longest interval among the scrapers that the gate waits for, as far as
    /// their intervals are known; `None` if none is.
    pub(super) fn longest_interval(&self, now: Duration) -> Option<Duration> {
        let intervals = self.live(now).filter_map(|(_, scraper)| scraper.interval());
        intervals.max()
    }

    /// Returns how far the scrapers have seen `generation`, which was first served at
    /// `first`. A scraper has seen it if it was served the generation or a later one in each
    /// of its last two scrapes, since one of the two answers may have been lost.
    pub(super) fn sight(&self, generation: u64, first: Duration, now: Duration) -> Sight {
        let sights = self.all.values();
        let sights = sights.map(|scraper| scraper.sight(generation, first, now));
        sights.max().unwrap_or(Sight::Seen)
    }

    /// Returns the scrapers that can be expected to come again, and were not served
    /// `generation` or a later one yet.
    pub(super) fn not_served(
        &self,
        generation: u64,
        now: Duration,
    ) -> impl Iterator<Item = ScraperId> {
        let all = self.all.iter();
        all.filter(move |(_, scraper)| scraper.is_expected_for(generation, now))
            .map(|(id, _)| *id)
    }

    /// Returns the interval of `scraper` if this process has learned it.
    pub(super) fn learned_interval(&self, scraper: ScraperId) -> Option<Duration> {
        self.all.get(&scraper)?.learned_interval
    }

    /// Returns the name by which `scraper` called the exporter in its last scrape; `None` if
    /// it is unknown.
    pub(super) fn target(&self, scraper: ScraperId) -> Option<u64> {
        let target = self.all.get(&scraper)?.target;
        (target != 0).then_some(target)
    }

    /// Returns `true` if `scraper` surely is several servers that cannot be told apart.
    pub(super) fn is_surely_pooled(&self, scraper: ScraperId) -> bool {
        let scraper = self.all.get(&scraper);
        scraper.is_some_and(Scraper::is_surely_pooled)
    }

    /// Returns the scrapers that the gate waits for.
    fn live(&self, now: Duration) -> impl Iterator<Item = (ScraperId, &Scraper)> {
        self.all
            .iter()
            .filter(move |(_, scraper)| scraper.is_live(now))
            .map(|(id, scraper)| (*id, scraper))
    }

    fn make_room(&mut self) {
        if self.all.len() >= MAX_SCRAPERS
            && let Some(least) = self
                .all
                .iter()
                .min_by_key(|(_, scraper)| {
                    let is_known = scraper.interval().is_some();
                    (is_known, scraper.keeps_coming(), scraper.last_scrape)
                })
                .map(|(id, _)| *id)
        {
            self.all.remove(&least);
        }
    }
}

#[cfg(test)]
mod tests;
