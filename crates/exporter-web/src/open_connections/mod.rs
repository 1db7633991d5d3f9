//! The open connections, and which of them is closed for a new one: descriptors are few,
//! and clients that keep connections open must not lock out a client that scrapes.
//!
//! The connection that is closed belongs to the network that holds the most connections,
//! and is the one that has been idle for longest there.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::AbortHandle;

use crate::{PeerAddress, activity::Activity};

/// The highest number of connections: more than an exporter has clients.
const MAX_CONNECTIONS: usize = 1000;
/// The number of connections that are accepted even if descriptors are very few.
const MIN_CONNECTIONS: usize = 16;
/// The shortest time from one warning to the next.
const WARN_INTERVAL: Duration = Duration::from_mins(1);
/// The time for which a client may leave an answer unread before the answer is cut for
/// another client.
const MAX_BEHIND: Duration = Duration::from_secs(1);

/// All open connections.
#[derive(Debug)]
pub(crate) struct OpenConnections {
    max: usize,
    table: Mutex<ConnectionTable>,
}

#[derive(Debug, Default)]
struct ConnectionTable {
    networks: HashMap<PeerAddress, HashMap<u64, OpenConnection>>,
    /// The number of connections of all networks.
    open: usize,
    next_id: u64,
    /// The number of connections that were closed for others since the last warning.
    closed: usize,
    warned: Option<Instant>,
}

#[derive(Debug)]
struct OpenConnection {
    activity: Arc<Activity>,
    /// The task that serves the connection; `None` until it has been spawned.
    task: Option<AbortHandle>,
}

/// The place of one connection among [`OpenConnections`]. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<OpenConnections>,
    network: PeerAddress,
    id: u64,
}

impl OpenConnections {
    /// Takes three quarters of the descriptors that the process may open. `limits` is
    /// the text of `/proc/self/limits`.
    pub(crate) fn new(limits: Option<&str>) -> Self {
        let descriptors = limits.and_then(open_files).unwrap_or(usize::MAX);
        Self {
            max: (descriptors / 4 * 3).clamp(MIN_CONNECTIONS, MAX_CONNECTIONS),
            table: Mutex::default(),
        }
    }

    /// Takes a place for a new connection, for which another one may be closed.
    pub(crate) fn admit(self: &Arc<Self>, address: PeerAddress, activity: &Arc<Activity>) -> Place {
        let network = network(address);
        let mut table = self.table();
        if table.open >= self.max {
            table.close_idlest();
        }
        let id = table.next_id;
        table.next_id += 1;
        table.open += 1;
        let connection = OpenConnection {
            activity: Arc::clone(activity),
            task: None,
        };
        table
            .networks
            .entry(network)
            .or_default()
            .insert(id, connection);
        Place {
            connections: Arc::clone(self),
            network,
            id,
        }
    }

    /// Records which task serves a connection, so that the connection can be closed.
    pub(crate) fn set_task(&self, (network, id): (PeerAddress, u64), task: AbortHandle) {
        let mut table = self.table();
        let connections = table.networks.get_mut(&network);
        match connections.and_then(|connections| connections.get_mut(&id)) {
            Some(connection) => connection.task = Some(task),
            // The connection has ended or was closed in the meantime.
            None => task.abort(),
        }
    }

    /// Closes a connection whose client does not read its answer, so that `address`
    /// can have one, and returns `true` if there was such a connection.
    ///
    /// The client has [`MAX_BEHIND`] to go on, but no time at all if its network has at
    /// least two more answers in flight than the network of `address`.
    pub(crate) fn cut_answer(&self, address: PeerAddress) -> bool {
        let asking = network(address);
        let mut table = self.table();
        let share = |connections: &HashMap<u64, OpenConnection>| {
            let connections = connections.values();
            connections.filter(|one| one.activity.is_answered()).count()
        };
        let mine = table.networks.get(&asking).map_or(0, share);
        let mut slowest = None;
        for (network, connections) in &table.networks {
            let is_greedy = *network != asking && share(connections) > mine + 1;
            for (id, connection) in connections {
                let behind = connection.activity.behind_for();
                let behind = behind.filter(|_| connection.activity.is_answered());
                if let Some(behind) = behind.filter(|behind| is_greedy || *behind >= MAX_BEHIND) {
                    slowest = slowest.max(Some((behind, *network, *id)));
                }
            }
        }
        let Some((_, network, id)) = slowest else {
            return false;
        };
        table.close(network, id);
        true
    }

    /// Returns `true` if a client has just connected and has not sent its request yet.
    pub(crate) fn awaits_request(&self) -> bool {
        let table = self.table();
        let mut connections = table.networks.values().flat_map(HashMap::values);
        connections.any(|one| one.activity.is_about_to_ask())
    }

    /// Closes every connection that has sent no request.
    pub(crate) fn end_silent(&self) {
        let table = self.table();
        let connections = table.networks.values().flat_map(HashMap::values);
        let silent = connections.filter(|one| !one.activity.has_asked());
        silent
            .filter_map(|one| one.task.as_ref())
            .for_each(AbortHandle::abort);
    }

    fn table(&self) -> MutexGuard<'_, ConnectionTable> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionTable {
    fn close_idlest(&mut self) {
        let networks = self.networks.iter();
        let all = networks.flat_map(|(network, connections)| {
            let share = Reverse(connections.len());
            let keys = connections.iter();
            // A client that waits for the check of its password is not idle.
            let idle = |one: &OpenConnection| (one.activity.is_waiting(), one.activity.last());
            keys.map(move |(id, one)| (share, idle(one), *id, *network))
        });
        let Some((_, _, id, network)) = all.min() else {
            return;
        };
        self.close(network, id);
        self.closed += 1;
        if self
            .warned
            .is_none_or(|warned| warned.elapsed() >= WARN_INTERVAL)
        {
            let closed = std::mem::take(&mut self.closed);
            self.warned = Some(Instant::now());
            tracing::warn!(
                closed,
                open = self.open,
                "idle connections were closed to make room for others; raise the limit of open files, or find out which clients connect"
            );
        }
    }

    fn close(&mut self, network: PeerAddress, id: u64) {
        if let Some(OpenConnection {
            task: Some(task), ..
        }) = self.remove(network, id)
        {
            task.abort();
        }
    }

    fn remove(&mut self, network: PeerAddress, id: u64) -> Option<OpenConnection> {
        let connections = self.networks.get_mut(&network)?;
        let connection = connections.remove(&id)?;
        self.open -= 1;
        if connections.is_empty() {
            self.networks.remove(&network);
        }
        Some(connection)
    }
}

impl Place {
    /// Returns the key by which [`OpenConnections::set_task`] finds the connection.
    pub(crate) fn key(&self) -> (PeerAddress, u64) {
        (self.network, self.id)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.table().remove(self.network, self.id);
    }
}

/// Returns an IPv4 address as it is, and of an IPv6 address the first 64 bits: one
/// client is usually given all addresses below those. All clients of unix sockets are one
/// network.
pub(crate) fn network(address: PeerAddress) -> PeerAddress {
    match address {
        PeerAddress::Ip(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)).into()
        }
        address => address,
    }
}

/// Reads the soft limit of `Max open files`.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
