//! One scraper, and how its interval is learned from the gaps between its scrapes.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{LONGEST_ABSENCE, UNKNOWN_INTERVAL};

/// The longest interval that is believed. No server scrapes less often: Prometheus shows a
/// sample for no longer than 5 minutes.
const LONGEST_INTERVAL: Duration = Duration::from_mins(5);
/// The number of gaps that are kept.
const GAPS_KEPT: usize = 8;
/// The number of gaps from which the interval of a scraper is known.
const GAPS_TO_KNOW: usize = 3;
/// The number of connections of one scraper that are remembered.
const MAX_CONNECTIONS: usize = 16;

/// The facts that are known of a scraper.
#[derive(Debug, Clone)]
pub(super) struct Scraper {
    /// `true` if the scraper is stored, so that the gate waits for it after a restart.
    pub(super) stored: bool,
    /// The time of the last scrape.
    pub(super) last_scrape: Duration,
    /// The generations of the last two scrapes of this process in their order, since one
    /// of the two answers may have been lost.
    pub(super) served: [Option<u64>; 2],
    /// The hash of the name by which the scraper calls the exporter; 0 if it is unknown.
    pub(super) target: u64,
    /// The time limit of the last scrape, at most [`UNKNOWN_INTERVAL`].
    timeout: Duration,
    /// The interval that an earlier process has stored.
    saved_interval: Option<Duration>,
    /// The interval that this process has learned.
    pub(super) learned_interval: Option<Duration>,
    gaps: Gaps,
    connections: BTreeMap<u64, ScraperConnection>,
}

/// The scrapes over one connection.
#[derive(Debug, Clone, Default)]
struct ScraperConnection {
    last_scrape: Duration,
    gaps: Gaps,
    scrapes: u64,
}

/// The latest gaps between two scrapes in a row.
#[derive(Debug, Clone, Default)]
struct Gaps(VecDeque<Duration>);

impl Gaps {
    fn push(&mut self, gap: Duration) {
        self.0.push_back(gap.min(LONGEST_INTERVAL));
        if self.0.len() > GAPS_KEPT {
            self.0.pop_front();
        }
    }

    /// Returns the interval that the gaps suggest: the second longest gap, since the
    /// longest may be an outage, or the only gap.
    fn interval(&self) -> Option<Duration> {
        let mut gaps: Vec<_> = self.0.iter().copied().collect();
        gaps.sort_unstable_by(|a, b| b.cmp(a));
        gaps.get(1).or(gaps.first()).copied()
    }
}

impl Scraper {
    /// Returns a scraper that is seen for the first time.
    pub(super) fn new(now: Duration) -> Self {
        Self {
            stored: false,
            last_scrape: now,
            served: [None; 2],
            target: 0,
            timeout: Duration::ZERO,
            saved_interval: None,
            learned_interval: None,
            gaps: Gaps::default(),
            connections: BTreeMap::new(),
        }
    }

    /// Returns a scraper that an earlier process has stored with this interval.
    pub(super) fn restored(interval: Duration, now: Duration) -> Self {
        Self {
            stored: true,
            saved_interval: Some(interval.min(LONGEST_INTERVAL)),
            ..Self::new(now)
        }
    }

    /// Takes over the time limit that a request states. A longer one than the interval of
    /// an unknown scraper counts as that interval: any client can state hours, for which
    /// the gate would then hold every count.
    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout.min(UNKNOWN_INTERVAL);
    }

    /// Records that the scraper was served `generation`. Two answers may be in flight at
    /// once, and the older generation may be the last that is sent.
    pub(super) fn record_served(&mut self, generation: u64) {
        self.served = [self.served[1], Some(generation)];
        self.served.sort_unstable();
    }

    /// Returns `true` if the scraper was seen more than once, by this process or an earlier
    /// one.
    pub(super) fn keeps_coming(&self) -> bool {
        self.served[0].is_some() || self.saved_interval.is_some()
    }

    /// Returns `true` if the gate waits for the scraper: it has scraped within
    /// [`LONGEST_ABSENCE`], or within three of its intervals if those are longer.
    pub(super) fn is_live(&self, now: Duration) -> bool {
        now.saturating_sub(self.last_scrape) <= LONGEST_ABSENCE.max(self.interval() * 3)
    }

    /// Records the gap that a scrape over `connection` ends. Two servers behind one address
    /// keep a connection each, so a gap on one connection is a gap of one server. A gap
    /// between two connections is a gap of one server only if no connection is kept.
    pub(super) fn record_gap(&mut self, connection: u64, now: Duration) {
        let connections_kept = self.connections.values().any(|other| other.scrapes > 1);
        let since = match self.connections.get(&connection) {
            Some(connection) => Some(connection.last_scrape),
            None if connections_kept || self.connections.is_empty() => None,
            None => Some(self.last_scrape),
        };
        let gap = since.map(|since| now.saturating_sub(since));
        if let Some(gap) = gap {
            self.gaps.push(gap);
        }
        let connection = self.connections.entry(connection).or_default();
        if let Some(gap) = gap.filter(|_| connection.scrapes > 0) {
            connection.gaps.push(gap);
        }
        connection.last_scrape = now;
        connection.scrapes += 1;
        self.limit_connections();
        self.learned_interval = self.learn_interval();
    }

    fn limit_connections(&mut self) {
        if self.connections.len() > MAX_CONNECTIONS
            && let Some((&oldest, _)) = self
                .connections
                .iter()
                .min_by_key(|(_, connection)| connection.last_scrape)
        {
            self.connections.remove(&oldest);
        }
    }

    /// Returns the longest interval among the connections that were used lately. The gaps
    /// of all connections together are not enough: few of them belong to a server that
    /// scrapes seldom.
    fn learn_interval(&self) -> Option<Duration> {
        if self.gaps.0.len() < GAPS_TO_KNOW {
            return None;
        }
        let connections = self.connections.values();
        let used = connections.filter(|connection| {
            self.last_scrape.saturating_sub(connection.last_scrape) <= LONGEST_ABSENCE
        });
        let intervals = used.filter_map(|connection| {
            let interval = connection.gaps.interval();
            interval.or_else(|| self.interval_of_single_scrape(connection))
        });
        intervals.chain(self.gaps.interval()).max()
    }

    /// Returns the interval of a connection that was used once. If another connection that
    /// is kept was used since, the single scrape came from a server of its own, whose
    /// interval is unknown. Otherwise it came from the same server over a new connection.
    fn interval_of_single_scrape(&self, single: &ScraperConnection) -> Option<Duration> {
        let mut others = self.connections.values();
        let other_used_since =
            others.any(|other| other.scrapes > 1 && other.last_scrape > single.last_scrape);
        other_used_since.then_some(UNKNOWN_INTERVAL)
    }

    /// Returns the interval of the scraper. For the first [`LONGEST_ABSENCE`] of a process
    /// the interval is not shorter than the stored one: the servers behind the address have
    /// new connections, and each of them needs the time to scrape again.
    pub(super) fn interval(&self) -> Duration {
        let saved = self
            .saved_interval
            .filter(|_| self.learned_interval.is_none() || self.last_scrape <= LONGEST_ABSENCE);
        let interval = self.learned_interval.max(saved);
        interval.unwrap_or(UNKNOWN_INTERVAL).max(self.timeout)
    }
}
