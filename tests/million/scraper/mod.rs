//! A model of a server that scrapes.

mod claims;

use std::sync::Arc;

use fastrand::Rng;

use crate::{
    clock::{Ms, SECOND},
    plan::ScraperPlan,
    sample::Sample,
};

pub(crate) use claims::{ScrapeContext, Standstill};

/// A server that scrapes.
pub(crate) struct Scraper {
    pub(crate) plan: ScraperPlan,
    rng: Rng,
    /// When the next scrape is due.
    tick: Ms,
    /// When the next scrape is answered.
    pub(crate) next: Ms,
    pub(crate) connection: u64,
    missed_last: bool,
    /// When the server was last answered with events.
    pub(crate) last_served: Option<Ms>,
    /// When the server was last answered, with or without events.
    pub(crate) last_answered: Option<Ms>,
    /// `true` if the last answer was lost.
    lost_last: bool,
    /// When the server came back from an absence of `LONGEST_ABSENCE` or longer, or after
    /// another server may have taken its place.
    returned: Option<Ms>,
    /// What was the case at some time since the last sample that the server received.
    pub(crate) since_sample: Exceptions,
    /// `true` once an older copy of the disk was put back, so that counters fell.
    is_after_backup: bool,
    /// The first sample received under the name by which the exporter is called.
    first: Option<Arc<Sample>>,
    /// The last sample received, and when.
    last: Option<(Ms, Arc<Sample>)>,
    /// The last sample received under another name, if the first one under this name must
    /// be equal to it.
    replaced: Option<LastBefore>,
    /// The sums of all increases between two samples in a row.
    increase: Sample,
    /// The numbers of events that the server did not see as an increase, by family.
    lost: [u64; 2],
}

/// The last sample before the exporter was replaced by one of another name.
struct LastBefore {
    /// When it was replaced.
    at: Ms,
    last: Arc<Sample>,
    /// The number of events that a bound had let through before.
    timeouts: u64,
}

/// What may keep the gate from waiting for a server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Exceptions {
    /// The exporter did not know the interval of the server.
    pub(crate) is_unknown: bool,
    /// The exporter may have forgotten the server, since it knew too many clients.
    pub(crate) is_crowded: bool,
    /// Another server may have been taken for the successor of this one.
    pub(crate) is_followed: bool,
}

/// The outcome of a scrape for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The answer was received.
    Received,
    /// The scrape was answered, and the answer was lost.
    Lost,
    /// The answer was cut off before it was written whole.
    Cut,
    /// The scrape was missed.
    NotSent,
}

impl Scraper {
    pub(crate) fn new(plan: ScraperPlan, seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            tick: plan.first,
            next: plan.first,
            connection: plan.proxy_connection.unwrap_or(seed << 20),
            missed_last: false,
            last_served: None,
            last_answered: None,
            lost_last: false,
            returned: None,
            since_sample: Exceptions::default(),
            is_after_backup: false,
            first: None,
            last: None,
            replaced: None,
            increase: Sample::new(),
            lost: [0; 2],
            plan,
        }
    }

    /// Draws the outcome of the scrape that is due, and when the next one is answered. A
    /// server does not miss or lose two scrapes in a row, not even with an absence between
    /// them; the scrapes of the absence do not count.
    pub(crate) fn scrape(&mut self, now: Ms, is_calm: bool) -> Delivery {
        if self.plan.has_left(self.tick) {
            self.next = Ms::MAX;
            return Delivery::NotSent;
        }
        let is_away = is_within(&self.plan.away, self.tick);
        let is_cut = is_within(&self.plan.cuts, self.tick);
        let is_missed = !is_calm && !self.missed_last && self.rng.f64() < self.plan.misses;
        self.tick += self.plan.interval;
        let late = if !is_calm && self.rng.f64() < self.plan.slow {
            self.rng.i64(0..self.plan.limit())
        } else {
            self.rng.i64(0..self.plan.interval.min(SECOND) / 50)
        };
        self.next = (self.tick + late).max(now + 1);
        if is_away || is_cut || !self.plan.keeps_connection {
            self.connection += 1;
        }
        match (is_away, is_cut) {
            (true, _) => return Delivery::NotSent,
            (_, true) => return Delivery::Cut,
            _ => self.missed_last = is_missed,
        }
        match (is_missed, self.rng.u8(0..3)) {
            (false, _) => Delivery::Received,
            (true, 0) => Delivery::NotSent,
            (true, 1) if self.plan.proxy_connection.is_none() => {
                self.connection += 1;
                Delivery::Cut
            }
            (true, _) => Delivery::Lost,
        }
    }

    /// Ends the connection, since the exporter has died.
    pub(crate) fn disconnect(&mut self) {
        self.connection += 1;
    }

    /// Returns `true` if the server has begun to scrape and has not left for good.
    pub(crate) fn is_there(&self, now: Ms) -> bool {
        self.plan.first <= now && !self.plan.has_left(now)
    }

    /// Returns `true` if the server has just been answered as it should have been, or is not
    /// there.
    pub(crate) fn is_on_time(&self, now: Ms) -> bool {
        let latest = 2 * self.plan.interval + self.plan.limit() + SECOND;
        let last = self.last_answered.unwrap_or(self.plan.first);
        !self.plan.is_absent(now) && now - last <= latest
    }

    /// Returns `true` if the last sample is the last sample that the server received.
    pub(crate) fn has_last(&self, sample: Option<&Arc<Sample>>) -> bool {
        let last = self.last.as_ref().map(|(_, last)| last);
        last.zip(sample)
            .is_some_and(|(last, sample)| Arc::ptr_eq(last, sample))
    }
}

fn is_within(spans: &[std::ops::Range<Ms>], now: Ms) -> bool {
    spans.iter().any(|span| span.contains(&now))
}
