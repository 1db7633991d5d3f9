//! Who scrapes, how often, and what each of them has been served.
//!
//! Pure: times are spans since the process started, which no change of the
//! wall clock can bend.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

/// The interval of a scraper that was not seen often enough to know.
pub const UNKNOWN_INTERVAL: Duration = Duration::from_mins(1);
/// How long a scraper that stays away is waited for: time for a server to restart
/// or to be upgraded.
pub const LONGEST_ABSENCE: Duration = Duration::from_mins(10);
/// No one scrapes less often: Prometheus forgets a sample after 5 minutes.
const LONGEST_INTERVAL: Duration = Duration::from_hours(1);
/// How many gaps between scrapes are kept, and how many make an interval known.
const GAPS_KEPT: usize = 8;
const GAPS_TO_KNOW: usize = 3;
/// More scrapers than anyone runs; beyond, the one longest unseen is forgotten.
const MAX_SCRAPERS: usize = 64;
/// Connections of one scraper that are told apart.
const MAX_CONNECTIONS: usize = 16;

/// Tells one scraper from another: a hash of its address and user agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScraperId(pub u64);

/// One scrape, as the server saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrape {
    /// Who.
    pub scraper: ScraperId,
    /// Over which connection: two servers behind one address keep one each.
    pub connection: u64,
    /// The time limit that it told, which is never above its interval.
    pub timeout: Duration,
}

/// What is remembered of a scraper over a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedScraper {
    /// Who.
    pub id: ScraperId,
    /// Its interval.
    pub interval: Duration,
    /// How long ago it was last seen.
    pub unseen_for: Duration,
}

#[derive(Debug, Clone)]
struct Scraper {
    /// That it is there outlives the process.
    stored: bool,
    last: Duration,
    /// The generations of the last two scrapes, as far as the process was up: the
    /// answer to one of them may have been lost.
    served: [Option<u64>; 2],
    timeout: Duration,
    /// What an earlier process knew.
    remembered: Option<Duration>,
    /// What this one has learned of its interval.
    learned: Option<Duration>,
    gaps: Gaps,
    connections: BTreeMap<u64, Connection>,
}

#[derive(Debug, Clone, Default)]
struct Connection {
    last: Duration,
    gaps: Gaps,
    scrapes: u64,
}

/// The latest gaps between scrapes.
#[derive(Debug, Clone, Default)]
struct Gaps(VecDeque<Duration>);

impl Gaps {
    fn push(&mut self, gap: Duration) {
        self.0.push_back(gap.min(LONGEST_INTERVAL));
        if self.0.len() > GAPS_KEPT {
            self.0.pop_front();
        }
    }

    /// The second longest, since the longest may be an outage; unless there is only
    /// one.
    fn usual(&self) -> Option<Duration> {
        let mut gaps: Vec<_> = self.0.iter().copied().collect();
        gaps.sort_unstable_by(|a, b| b.cmp(a));
        gaps.get(1).or(gaps.first()).copied()
    }
}

/// Everyone who scrapes.
#[derive(Debug, Clone, Default)]
pub(super) struct Scrapers {
    all: BTreeMap<ScraperId, Scraper>,
}

impl Scrapers {
    /// Takes up what an earlier process knew. Everyone is waited for anew, however
    /// long ago they were seen: the exporter was away, not they, and the wall clock
    /// that says how long may have been set meanwhile.
    pub(super) fn remember(&mut self, known: SavedScraper, now: Duration) {
        self.all.insert(
            known.id,
            Scraper {
                stored: true,
                remembered: Some(known.interval),
                ..Scraper::new(now)
            },
        );
    }

    /// Everyone who still counts, to be remembered.
    pub(super) fn known(&self, now: Duration) -> impl Iterator<Item = SavedScraper> {
        self.live(now).map(move |(id, scraper)| SavedScraper {
            id,
            interval: scraper.interval(),
            unseen_for: now.saturating_sub(scraper.last),
        })
    }

    /// These are stored, and no other.
    pub(super) fn confirm(&mut self, stored: &[SavedScraper]) {
        let stored: BTreeSet<ScraperId> = stored.iter().map(|known| known.id).collect();
        for (id, scraper) in &mut self.all {
            scraper.stored = stored.contains(id);
        }
    }

    /// Whether someone who still counts is not stored.
    pub(super) fn any_unstored(&self, now: Duration) -> bool {
        self.live(now).any(|(_, scraper)| !scraper.stored)
    }

    /// Whether it is stored that this one is there. Where there are more than can
    /// be remembered, each would be a stranger at each of its scrapes.
    pub(super) fn may_show(&self, scraper: ScraperId) -> bool {
        let known = self.all.get(&scraper);
        known.is_some_and(|scraper| scraper.stored) || self.all.len() >= MAX_SCRAPERS
    }

    /// This one is about to be answered.
    pub(super) fn announce(&mut self, scraper: ScraperId, now: Duration) {
        if !self.all.contains_key(&scraper) {
            self.make_room();
            self.all.insert(scraper, Scraper::new(now));
        }
    }

    /// Takes note of a scrape.
    pub(super) fn note(&mut self, scrape: Scrape, generation: u64, now: Duration) {
        let Scrape {
            scraper,
            connection,
            timeout,
        } = scrape;
        self.announce(scraper, now);
        let Some(scraper) = self.all.get_mut(&scraper) else {
            return;
        };
        scraper.note_gap(connection, now);
        scraper.last = now;
        scraper.timeout = timeout.min(LONGEST_INTERVAL);
        scraper.served = [scraper.served[1], Some(generation)];
    }

    /// The longest interval that any live scraper keeps; `None` without one.
    #[must_use]
    pub(super) fn longest_interval(&self, now: Duration) -> Option<Duration> {
        self.live(now).map(|(_, scraper)| scraper.interval()).max()
    }

    /// Whether every live scraper was served this generation or a later one twice,
    /// so that it has seen it even if one answer was lost.
    #[must_use]
    pub(super) fn all_served(&self, generation: u64, now: Duration) -> bool {
        self.live(now)
            .all(|(_, scraper)| scraper.served[0] >= Some(generation))
    }

    /// The interval of a scraper that was seen often enough to know.
    pub(super) fn learned_interval(&self, scraper: ScraperId) -> Option<Duration> {
        self.all.get(&scraper)?.learned
    }

    fn live(&self, now: Duration) -> impl Iterator<Item = (ScraperId, &Scraper)> {
        self.all
            .iter()
            .filter(move |(_, scraper)| scraper.is_live(now))
            .map(|(id, scraper)| (*id, scraper))
    }

    fn make_room(&mut self) {
        if self.all.len() >= MAX_SCRAPERS
            && let Some(longest_unseen) = self
                .all
                .iter()
                .min_by_key(|(_, s)| s.last)
                .map(|(id, _)| *id)
        {
            self.all.remove(&longest_unseen);
        }
    }
}

impl Scraper {
    fn new(now: Duration) -> Self {
        Self {
            stored: false,
            last: now,
            served: [None; 2],
            timeout: Duration::ZERO,
            remembered: None,
            learned: None,
            gaps: Gaps::default(),
            connections: BTreeMap::new(),
        }
    }

    fn is_live(&self, now: Duration) -> bool {
        now.saturating_sub(self.last) <= LONGEST_ABSENCE.max(self.interval() * 3)
    }

    /// Two servers behind one address keep a connection each, so a gap on one
    /// connection is one server's own. A gap between connections says something
    /// only where nobody keeps them.
    fn note_gap(&mut self, connection: u64, now: Duration) {
        let connections_kept = self.connections.values().any(|seen| seen.scrapes > 1);
        let since = match self.connections.get(&connection) {
            Some(seen) => Some(seen.last),
            None if connections_kept || self.connections.is_empty() => None,
            None => Some(self.last),
        };
        let gap = since.map(|since| now.saturating_sub(since));
        if let Some(gap) = gap {
            self.gaps.push(gap);
        }
        let seen = self.connections.entry(connection).or_default();
        if let Some(gap) = gap.filter(|_| seen.scrapes > 0) {
            seen.gaps.push(gap);
        }
        seen.last = now;
        seen.scrapes += 1;
        self.forget_connections();
        self.learned = self.learn();
    }

    fn forget_connections(&mut self) {
        if self.connections.len() > MAX_CONNECTIONS
            && let Some((&oldest, _)) = self.connections.iter().min_by_key(|(_, seen)| seen.last)
        {
            self.connections.remove(&oldest);
        }
    }

    /// The longest that any connection keeps which was used lately: of a server that
    /// comes seldom, few of all the gaps are its own.
    fn learn(&self) -> Option<Duration> {
        if self.gaps.0.len() < GAPS_TO_KNOW {
            return None;
        }
        let connections = self.connections.values();
        let used =
            connections.filter(|seen| self.last.saturating_sub(seen.last) <= LONGEST_ABSENCE);
        let kept = used.filter_map(|seen| seen.gaps.usual().or_else(|| self.unknown(seen)));
        kept.chain(self.gaps.usual()).max()
    }

    /// The interval of one who came once: a server of its own if another connection
    /// that is kept was used since, and else the same one over a new connection.
    fn unknown(&self, once: &Connection) -> Option<Duration> {
        let mut others = self.connections.values();
        let has_company = others.any(|seen| seen.scrapes > 1 && seen.last > once.last);
        has_company.then_some(UNKNOWN_INTERVAL)
    }

    /// What an earlier process knew holds for as long as it takes each server to come
    /// again, since they have new connections.
    fn interval(&self) -> Duration {
        let remembered = self
            .remembered
            .filter(|_| self.learned.is_none() || self.last <= LONGEST_ABSENCE);
        let interval = self.learned.max(remembered);
        interval.unwrap_or(UNKNOWN_INTERVAL).max(self.timeout)
    }
}

#[cfg(test)]
mod tests;
