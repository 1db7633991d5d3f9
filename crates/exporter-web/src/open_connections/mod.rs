//! Who is connected, and who has to go where there is no room: descriptors are few,
//! and clients that hold on to theirs must not lock out one that scrapes.
//!
//! The network that holds the most loses first; of its connections the one that has
//! been idle for longest.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::AbortHandle;

use crate::activity::Activity;

/// More clients than anyone has.
const MOST: usize = 1000;
/// What there is room for even where descriptors are very few.
const FEWEST: usize = 16;
/// From one warning to the next.
const WARN_EVERY: Duration = Duration::from_mins(1);
/// How long a client may be behind before it loses its answer to another one's.
const PATIENCE: Duration = Duration::from_secs(1);

/// All connections.
#[derive(Debug)]
pub(crate) struct OpenConnections {
    most: usize,
    held: Mutex<ConnectionTable>,
}

#[derive(Debug, Default)]
struct ConnectionTable {
    networks: HashMap<IpAddr, HashMap<u64, OpenConnection>>,
    /// In all networks together.
    number: usize,
    next: u64,
    /// Closed for want of room since the last warning.
    closed: usize,
    warned: Option<Instant>,
}

#[derive(Debug)]
struct OpenConnection {
    activity: Arc<Activity>,
    /// Ends it; absent for the moment until it runs.
    task: Option<AbortHandle>,
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<OpenConnections>,
    network: IpAddr,
    id: u64,
}

impl OpenConnections {
    /// Takes three quarters of the descriptors that the process may open, of which
    /// `limits` tells as `/proc/self/limits` does.
    pub(crate) fn new(limits: Option<&str>) -> Self {
        let descriptors = limits.and_then(open_files).unwrap_or(usize::MAX);
        Self {
            most: (descriptors / 4 * 3).clamp(FEWEST, MOST),
            held: Mutex::default(),
        }
    }

    /// A place for one more, for which another may have to go.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, activity: &Arc<Activity>) -> Place {
        let network = network(address);
        let mut held = self.held();
        if held.number >= self.most {
            held.close_idlest();
        }
        let id = held.next;
        held.next += 1;
        held.number += 1;
        let connection = OpenConnection {
            activity: Arc::clone(activity),
            task: None,
        };
        held.networks
            .entry(network)
            .or_default()
            .insert(id, connection);
        Place {
            connections: Arc::clone(self),
            network,
            id,
        }
    }

    /// The connection runs in this task.
    pub(crate) fn run(&self, (network, id): (IpAddr, u64), task: AbortHandle) {
        let mut held = self.held();
        let connections = held.networks.get_mut(&network);
        match connections.and_then(|connections| connections.get_mut(&id)) {
            Some(connection) => connection.task = Some(task),
            // It has ended, or had to go, before it was known.
            None => task.abort(),
        }
    }

    /// Ends an answer that its client does not take, so that `address` can have one.
    /// Whether there was such an answer.
    pub(crate) fn cut_answer(&self, address: IpAddr) -> bool {
        let asking = network(address);
        let mut held = self.held();
        let share = |connections: &HashMap<u64, OpenConnection>| {
            let connections = connections.values();
            connections.filter(|one| one.activity.is_answered()).count()
        };
        let mine = held.networks.get(&asking).map_or(0, share);
        let mut slowest = None;
        for (network, connections) in &held.networks {
            // Who has more in flight than the one that asks has no patience to claim.
            let is_greedy = *network != asking && share(connections) > mine + 1;
            for (id, connection) in connections {
                let behind = connection.activity.behind_for();
                let behind = behind.filter(|_| connection.activity.is_answered());
                if let Some(behind) = behind.filter(|behind| is_greedy || *behind >= PATIENCE) {
                    slowest = slowest.max(Some((behind, *network, *id)));
                }
            }
        }
        let Some((_, network, id)) = slowest else {
            return false;
        };
        held.close(network, id);
        true
    }

    /// Ends every connection that has not asked for anything.
    pub(crate) fn end_silent(&self) {
        let held = self.held();
        let connections = held.networks.values().flat_map(HashMap::values);
        let silent = connections.filter(|one| !one.activity.has_asked());
        silent
            .filter_map(|one| one.task.as_ref())
            .for_each(AbortHandle::abort);
    }

    fn held(&self) -> MutexGuard<'_, ConnectionTable> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionTable {
    fn close_idlest(&mut self) {
        let networks = self.networks.iter();
        let all = networks.flat_map(|(network, connections)| {
            let share = Reverse(connections.len());
            let keys = connections.iter();
            keys.map(move |(id, one)| (share, one.activity.last(), *id, *network))
        });
        let Some((_, _, id, network)) = all.min() else {
            return;
        };
        self.close(network, id);
        self.closed += 1;
        if self
            .warned
            .is_none_or(|warned| warned.elapsed() >= WARN_EVERY)
        {
            let closed = std::mem::take(&mut self.closed);
            self.warned = Some(Instant::now());
            tracing::warn!(
                closed,
                open = self.number,
                "idle connections were closed to make room for others; raise the limit of open files, or find out who connects"
            );
        }
    }

    fn close(&mut self, network: IpAddr, id: u64) {
        if let Some(OpenConnection {
            task: Some(task), ..
        }) = self.remove(network, id)
        {
            task.abort();
        }
    }

    fn remove(&mut self, network: IpAddr, id: u64) -> Option<OpenConnection> {
        let connections = self.networks.get_mut(&network)?;
        let connection = connections.remove(&id)?;
        self.number -= 1;
        if connections.is_empty() {
            self.networks.remove(&network);
        }
        Some(connection)
    }
}

impl Place {
    /// The key by which [`Self::run`] finds the connection.
    pub(crate) fn key(&self) -> (IpAddr, u64) {
        (self.network, self.id)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.held().remove(self.network, self.id);
    }
}

/// An IPv4 address, or the 64 bits of an IPv6 address that one client is given whole.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// The soft limit of `Max open files`.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
