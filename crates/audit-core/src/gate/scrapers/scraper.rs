//! One scraper: how often it scrapes, and for how long the gate waits for it.

use std::time::Duration;

use super::{
    super::{SCRAPE_TIMEOUT, hold_of},
    LONGEST_ABSENCE, SavedScraper, Scrape, UNKNOWN_INTERVAL,
    gaps::{Gaps, LONGEST_INTERVAL},
};

/// The number of connections of one scraper that are remembered.
const MAX_CONNECTIONS: usize = 16;
/// The number of scrapes in a row that look like those of several servers before
/// [`Scraper::is_surely_pooled`]: more than a change of the interval makes.
const SCRAPES_TO_BE_SURE: u32 = 32;
/// The number of scrapes after which a connection of a server tells the interval.
const SCRAPES_TO_LEARN: u32 = 4;
/// The part of its time limit that the interval of a scraper must exceed.
const LEAST_PART_OF_TIMEOUT: f64 = 0.9;

/// The facts that are known of a scraper.
#[derive(Debug, Clone)]
pub(super) struct Scraper {
    /// `true` if the scraper is stored, so that the gate waits for it after a restart.
    pub(super) stored: bool,
    /// The time of the first scrape that this process saw.
    pub(super) first_scrape: Duration,
    /// The time of the last scrape; of the start if this process saw none.
    pub(super) last_scrape: Duration,
    /// How long the scraper had been away when an earlier process stored it; zero after a
    /// scrape.
    absence_before: Duration,
    /// The generations of the last two scrapes of this process in their order, since one
    /// of the two answers may have been lost.
    pub(super) served: [Option<u64>; 2],
    /// The hash of the product that the scraper says it is.
    pub(super) product: u64,
    /// The hash of the name by which the scraper calls the exporter; 0 if unknown.
    pub(super) target: u64,
    /// The place of the scraper, if another one has taken it.
    place: Place,
    /// `true` if the scraper has taken the place of another one.
    pub(super) has_replaced: bool,
    scrapes: u64,
    /// The time limit of the last scrape.
    timeout: Duration,
    /// The interval that an earlier process has stored.
    saved_interval: Option<Duration>,
    /// The interval that this process has learned.
    pub(super) learned_interval: Option<Duration>,
    /// The interval that gaps have shown: the learned interval without the doubt about
    /// connections that were used once.
    shown_interval: Option<Duration>,
    /// The number of scrapes in a row that looked like those of several servers.
    pooled_scrapes: u32,
    gaps: Gaps,
    /// The connections in the order of their last scrapes.
    connections: Vec<ScraperConnection>,
}

/// The place of a scraper among those that the gate waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The scraper has its place.
    Own,
    /// Another scraper has taken the place.
    Taken,
    /// The scraper is back after another one has taken its place, and was not answered since.
    Returned,
}

/// The scrapes over one connection.
#[derive(Debug, Clone, Default)]
struct ScraperConnection {
    number: u64,
    last_scrape: Duration,
    gaps: Gaps,
    scrapes: u64,
}

impl Scraper {
    /// Returns a scraper that is seen for the first time.
    pub(super) fn new(now: Duration) -> Self {
        Self {
            stored: false,
            first_scrape: now,
            last_scrape: now,
            absence_before: Duration::ZERO,
            served: [None; 2],
            product: 0,
            target: 0,
            place: Place::Own,
            has_replaced: false,
            scrapes: 0,
            timeout: Duration::ZERO,
            saved_interval: None,
            learned_interval: None,
            shown_interval: None,
            pooled_scrapes: 0,
            gaps: Gaps::default(),
            connections: Vec::new(),
        }
    }

    /// Returns a scraper that an earlier process has stored. However long it was away, the
    /// scraper has a hold of its interval to scrape this process.
    pub(super) fn restored(saved: &SavedScraper, now: Duration) -> Self {
        let saved_interval = saved.interval.map(|known| known.min(LONGEST_INTERVAL));
        let interval = saved_interval.unwrap_or(UNKNOWN_INTERVAL);
        // The scraper may have scraped once more after it was stored.
        let absence_before = saved.unseen_for.saturating_sub(interval);
        Self {
            stored: true,
            absence_before: absence_before.min(LONGEST_ABSENCE.saturating_sub(hold_of(interval))),
            product: saved.product,
            target: saved.target,
            saved_interval,
            ..Self::new(now)
        }
    }

    /// Records that the scraper is about to be answered. If the gate has not waited for it,
    /// the gate does from now on.
    pub(super) fn announce(&mut self, now: Duration) {
        if !self.is_live(now) {
            self.last_scrape = now;
            self.absence_before = Duration::ZERO;
            if self.is_replaced() {
                self.place = Place::Returned;
            }
        }
    }

    /// Records a scrape that was answered with `generation`. Returns `true` if the scraper is
    /// back after another one has taken its place.
    pub(super) fn record_scrape(&mut self, scrape: Scrape, generation: u64, now: Duration) -> bool {
        self.record_gap(scrape.connection, now);
        self.scrapes += 1;
        self.last_scrape = now;
        self.absence_before = Duration::ZERO;
        self.timeout = scrape.timeout;
        // Two answers may be in flight at once, and the older generation may be the last
        // that is sent.
        self.served = [self.served[1], Some(generation)];
        self.served.sort_unstable();
        self.product = scrape.product;
        if scrape.target != 0 {
            self.target = scrape.target;
        }
        self.pooled_scrapes = if self.looks_pooled() {
            self.pooled_scrapes.saturating_add(1)
        } else {
            0
        };
        let was_replaced = self.place == Place::Returned;
        self.place = Place::Own;
        was_replaced
    }

    /// Records that another scraper has taken the place of this one.
    pub(super) fn replace(&mut self) {
        self.place = Place::Taken;
    }

    fn is_replaced(&self) -> bool {
        self.place == Place::Taken
    }

    /// Returns the interval of the scraper; `None` while it is unknown. For the first
    /// [`LONGEST_ABSENCE`] of a process the interval is not shorter than the stored one:
    /// the servers behind the address have new connections, and each of them needs the
    /// time to scrape again. If several servers cannot be told apart, the interval is not
    /// shorter than that of an unknown scraper.
    pub(super) fn interval(&self) -> Option<Duration> {
        let interval = self.interval_of_one_server()?;
        if self.pooled_scrapes > 0 {
            Some(interval.max(UNKNOWN_INTERVAL))
        } else {
            Some(interval)
        }
    }

    /// Returns the interval as it is stored. A doubt that was stored would be restored by each
    /// process of a crash loop, and never end; and so would a gap that was too long by chance.
    /// The stored interval therefore gives way only to one that enough scrapes have shown, at
    /// a time by which a server of the stored interval would have shown it again.
    pub(super) fn interval_to_store(&self) -> Option<Duration> {
        let is_shown_again = |saved| {
            let seen_for = self.last_scrape.saturating_sub(self.first_scrape);
            self.gaps.are_full() && seen_for >= saved * SCRAPES_TO_LEARN
        };
        match self.saved_interval {
            Some(saved) if !is_shown_again(saved) => Some(saved),
            _ => self.shown_interval,
        }
    }

    /// Returns the interval if the scrapes come from one server.
    fn interval_of_one_server(&self) -> Option<Duration> {
        let saved = self
            .saved_interval
            .filter(|_| self.learned_interval.is_none() || self.last_scrape <= LONGEST_ABSENCE);
        self.learned_interval.max(saved)
    }

    /// Returns `true` if the scrapes surely come from several servers that cannot be told
    /// apart.
    pub(super) fn is_surely_pooled(&self) -> bool {
        self.pooled_scrapes >= SCRAPES_TO_BE_SURE
    }

    /// Returns `true` if the scraper was seen, by this process or an earlier one.
    pub(super) fn was_seen(&self) -> bool {
        self.scrapes > 0 || self.saved_interval.is_some()
    }

    /// Returns `true` if the scraper was seen more than once, by this process or an earlier
    /// one.
    pub(super) fn keeps_coming(&self) -> bool {
        self.scrapes > 1 || self.saved_interval.is_some()
    }

    /// Returns `true` if the scraper is remembered: it has scraped within
    /// [`LONGEST_ABSENCE`], or within three of its intervals if those are longer.
    pub(super) fn is_live(&self, now: Duration) -> bool {
        let intervals = self.interval().unwrap_or_default() * 3;
        !self.is_replaced() && self.absence(now) <= LONGEST_ABSENCE.max(intervals)
    }

    /// Returns the time since the last scrape. Only the time in which an exporter runs counts.
    pub(super) fn absence(&self, now: Duration) -> Duration {
        self.absence_from_process(now) + self.absence_before
    }

    fn absence_from_process(&self, now: Duration) -> Duration {
        now.saturating_sub(self.last_scrape)
    }

    /// Returns how far the scraper has seen `generation`, which was first served to any
    /// scraper at `first`.
    pub(super) fn sight(&self, generation: u64, first: Duration, now: Duration) -> Sight {
        if self.served[0] >= Some(generation) || self.is_replaced() {
            Sight::Seen
        } else if self.interval().is_none() {
            let wait = self.unknown_wait();
            let is_waited_for =
                now.saturating_sub(first) <= wait && self.absence_from_process(now) <= wait;
            if is_waited_for {
                Sight::Unseen
            } else {
                Sight::Seen
            }
        } else if self.is_live(now) {
            Sight::Unseen
        } else if self.is_live(first) {
            Sight::GivenUp
        } else {
            Sight::Seen
        }
    }

    /// Returns how long a new series waits for the scraper while its interval is unknown:
    /// until it can have come again, and if it has, until it can have come twice more. Any
    /// client can make a single request that looks like a scrape.
    fn unknown_wait(&self) -> Duration {
        if self.scrapes > 1 {
            hold_of(UNKNOWN_INTERVAL)
        } else {
            UNKNOWN_INTERVAL + SCRAPE_TIMEOUT
        }
    }

    /// Returns `true` if the scraper can be expected to come again, and has not been served
    /// `generation` or a later one.
    pub(super) fn is_expected_for(&self, generation: u64, now: Duration) -> bool {
        let may_come = match self.interval() {
            Some(_) => self.is_live(now),
            None => self.scrapes > 1 && self.absence_from_process(now) <= self.unknown_wait(),
        };
        // A scraper that is not stored is shown no events.
        self.stored && may_come && self.served[1] < Some(generation)
    }

    /// Returns `true` if `successor` is the same product as this scraper, began to scrape
    /// after this scraper had stopped, and keeps coming. The scraper comes at its interval or
    /// at `set_interval`, whichever is longer: the scrapes of two servers behind one address
    /// may suggest an interval that is too short. However long the scraper was away before,
    /// it has a hold to scrape this process.
    pub(super) fn is_followed_by(
        &self,
        successor: &Self,
        set_interval: Duration,
        now: Duration,
    ) -> bool {
        let is_gone = self
            .interval()
            .map(|interval| hold_of(interval.max(set_interval)))
            .is_some_and(|hold| self.absence_from_process(now) > hold);
        is_gone
            && !self.is_replaced()
            && self.product == successor.product
            && successor.first_scrape > self.last_scrape
            && !successor.has_replaced
            && successor.learned_interval.is_some()
            && successor.saved_interval.is_none()
    }

    /// Records the gap that a scrape over the connection `number` ends. Two servers behind one
    /// address keep a connection each, so a gap on one connection is a gap of one server. A gap
    /// between two connections is a gap of one server only if no connection is kept.
    fn record_gap(&mut self, number: u64, now: Duration) {
        let mut connections = self.connections.iter();
        let known = connections.position(|connection| connection.number == number);
        let known = known.map(|place| self.connections.remove(place));
        let since = match &known {
            Some(connection) => Some(connection.last_scrape),
            None if self.keeps_connections() || self.connections.is_empty() => None,
            None => Some(self.last_scrape),
        };
        let gap = since.map(|since| now.saturating_sub(since));
        if let Some(gap) = gap {
            self.gaps.push(gap);
        }
        let new = || ScraperConnection {
            number,
            ..ScraperConnection::default()
        };
        let mut connection = known.unwrap_or_else(new);
        if let Some(gap) = gap.filter(|_| connection.scrapes > 0) {
            connection.gaps.push(gap);
        }
        connection.last_scrape = now;
        connection.scrapes += 1;
        self.connections.push(connection);
        if self.connections.len() > MAX_CONNECTIONS {
            self.connections.remove(0);
        }
        self.learn_interval(now);
    }

    fn keeps_connections(&self) -> bool {
        self.connections.iter().any(ScraperConnection::is_kept)
    }

    /// Learns the longest interval among the connections that were used lately. The gaps of
    /// all connections together are not enough: few of them belong to a server that scrapes
    /// seldom.
    fn learn_interval(&mut self, now: Duration) {
        if !self.gaps.are_enough() {
            return;
        }
        let connections = self.connections.iter();
        let used = connections
            .filter(|connection| now.saturating_sub(connection.last_scrape) <= LONGEST_ABSENCE);
        let shown = used.clone().filter_map(|used| used.gaps.interval());
        let shown = shown.chain(self.gaps.interval()).max();
        // A connection that was used once since another that is kept has a server of its own,
        // whose interval is unknown. Any other has the same server as the connection before it.
        let mut latest_first = self.connections.iter().rev();
        let kept = latest_first.find(|connection| connection.is_kept());
        let kept_until = kept.map(|kept| kept.last_scrape);
        let is_single = used
            .filter(|used| used.gaps.interval().is_none())
            .any(|used| Some(used.last_scrape) < kept_until);
        self.learned_interval = is_single.then_some(UNKNOWN_INTERVAL).max(shown);
        self.shown_interval = shown;
    }

    /// Returns `true` if the scrapes look like those of several servers behind one proxy,
    /// which shares its connections among them: the gaps do not fit one interval, or are
    /// shorter than the time limit of a scrape. Prometheus allows no limit above the
    /// interval; a limit above [`UNKNOWN_INTERVAL`] says nothing, since any client can
    /// state hours.
    fn looks_pooled(&self) -> bool {
        let Some(interval) = self.learned_interval else {
            return false;
        };
        let is_too_often = self.timeout <= UNKNOWN_INTERVAL
            && interval < self.timeout.mul_f64(LEAST_PART_OF_TIMEOUT);
        let is_irregular = if self.keeps_connections() {
            let mut connections = self.connections.iter();
            connections.any(|connection| connection.gaps.are_irregular())
        } else {
            self.gaps.are_irregular()
        };
        is_too_often || is_irregular
    }
}

impl ScraperConnection {
    fn is_kept(&self) -> bool {
        self.scrapes > 1
    }
}

/// How far a scraper, or all of them, have seen a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// The generation was seen, or the scraper is not waited for.
    Seen,
    /// The gate no longer waits for the scraper, which stays away.
    GivenUp,
    /// The gate waits for the scraper to see the generation.
    Unseen,
}
