//! What the exporter can know of its clients, by the rules that are documented. The claims
//! make exceptions for servers of which the exporter cannot know enough.

use std::collections::{BTreeMap, BTreeSet};

use audit_core::gate::{LONGEST_ABSENCE, SavedGate, Scrape};

use crate::clock::Ms;

/// The number of gaps between scrapes from which an interval is known.
const GAPS_TO_KNOW: u32 = 3;
/// The number of clients that the exporter remembers.
const MOST_REMEMBERED: usize = 64;

/// A client, as the running process can know it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, Default)]
struct KnownClient {
    /// `true` if the client was stored when the process started.
    is_restored: bool,
    /// `true` if its interval was stored then.
    is_interval_stored: bool,
    product: u64,
    target: u64,
    gaps: u32,
    /// Each connection with the number of its scrapes.
    connections: Vec<(u64, u32)>,
    first: Ms,
    /// The last scrape, or the start of the process.
    last: Ms,
    /// The clients whose place this one may have taken.
    may_follow: BTreeSet<u64>,
    has_followed: bool,
    is_followed: bool,
}

/// The clients, as the running process can know them.
#[derive(Debug, Default)]
pub(crate) struct KnownClients {
    by_id: BTreeMap<u64, KnownClient>,
}

impl KnownClients {
    /// Returns the clients of a process that starts now from `saved`.
    pub(crate) fn restored(saved: &SavedGate, now: Ms) -> Self {
        let clients = saved.scrapers.iter().map(|client| {
            let known = KnownClient {
                is_restored: true,
                is_interval_stored: client.interval.is_some(),
                product: client.product,
                target: client.target,
                last: now,
                ..KnownClient::default()
            };
            (client.id.0, known)
        });
        Self {
            by_id: clients.collect(),
        }
    }

    /// Records a scrape. Returns `true` if the client is known by another name.
    pub(crate) fn record(&mut self, scrape: &Scrape, now: Ms) -> bool {
        let new = KnownClient {
            first: now,
            ..KnownClient::default()
        };
        let client = self.by_id.entry(scrape.scraper.0).or_insert(new);
        client.record_gap(scrape.connection);
        client.last = now;
        client.product = scrape.product;
        let names = (client.target, scrape.target);
        if scrape.target != 0 {
            client.target = scrape.target;
        }
        names.0 != 0 && names.1 != 0 && names.0 != names.1
    }

    /// Returns `true` if the exporter knows the interval of the client.
    pub(crate) fn is_known(&self, id: u64) -> bool {
        self.by_id.get(&id).is_some_and(KnownClient::is_known)
    }

    /// Returns `true` if the exporter may have forgotten clients of unknown interval.
    pub(crate) fn are_crowded(&self) -> bool {
        self.by_id.len() > MOST_REMEMBERED
    }

    /// Returns the clients that `id` may have followed with its last scrape: those of the
    /// same product that have been away for longer than `absence`.
    pub(crate) fn followed_by(&self, id: u64, absence: impl Fn(u64) -> Ms) -> BTreeSet<u64> {
        let Some(new) = self.by_id.get(&id) else {
            return BTreeSet::new();
        };
        // The gate may have forgotten a client of unknown interval, and take it for a new one.
        let is_new = !new.is_restored || (self.are_crowded() && !new.is_interval_stored);
        if !is_new || new.gaps < GAPS_TO_KNOW {
            return BTreeSet::new();
        }
        let follows = |(gone, client): &(&u64, &KnownClient)| {
            **gone != id
                && client.product == new.product
                && (new.is_restored || client.last < new.first)
                && new.last - client.last > absence(**gone)
        };
        let all = self.by_id.iter().filter(follows);
        all.map(|(gone, _)| *gone).collect()
    }

    /// Records that `id` has taken the place of the only client of `gone`, unless it may
    /// have taken that of another client: of several that are away, the gate takes one for
    /// the one that left. `candidates` are the clients that it may have followed.
    pub(crate) fn follow(&mut self, id: u64, candidates: &BTreeSet<u64>, gone: &BTreeSet<u64>) {
        let Some(new) = self.by_id.get_mut(&id) else {
            return;
        };
        new.may_follow.extend(candidates);
        let is_unsure = new.is_restored || new.may_follow != *gone || gone.len() != 1;
        if new.has_followed || is_unsure {
            return;
        }
        new.has_followed = true;
        for gone in gone {
            if let Some(gone) = self.by_id.get_mut(gone) {
                gone.is_followed = true;
            }
        }
    }

    /// Returns until when the gate may wait for a client that has left: 10 minutes, or not
    /// at all once another has taken its place.
    pub(crate) fn is_waited_for(&self, id: u64, interval: Ms, now: Ms) -> bool {
        let absence = Ms::try_from(LONGEST_ABSENCE.as_millis()).unwrap_or(Ms::MAX);
        self.by_id.get(&id).is_some_and(|client| {
            !client.is_followed && now - client.last <= absence.max(interval * 3) + 1
        })
    }
}

impl KnownClient {
    fn is_known(&self) -> bool {
        self.is_interval_stored || self.gaps >= GAPS_TO_KNOW
    }

    /// Records the gap that a scrape over `connection` ends: since the last scrape over the
    /// same connection, or over another one if none is kept.
    fn record_gap(&mut self, connection: u64) {
        let known = self.connections.iter_mut();
        let known = known.into_iter().find(|(number, _)| *number == connection);
        if let Some((_, scrapes)) = known {
            *scrapes += 1;
            self.gaps += 1;
            return;
        }
        let are_kept = self.connections.iter().any(|(_, scrapes)| *scrapes > 1);
        self.gaps += u32::from(!are_kept && !self.connections.is_empty());
        self.connections.push((connection, 1));
    }
}
