//! The queue of passwords that wait for their check.
//!
//! One password is checked at a time. Networks take turns, so that a network that sends
//! many passwords delays another network by one check for each turn, and no more. The
//! passwords of one network are checked in the order in which they came. How long a
//! password waits is bounded by its request, and how many wait by the connections.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::PeerAddress;

/// The queue of passwords that wait for their check.
#[derive(Default)]
pub(crate) struct PasswordQueue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    /// `true` while a password is checked.
    is_busy: bool,
    /// The networks of passwords that wait; the first one has the next turn.
    networks: VecDeque<Network>,
}

struct Network {
    prefix: PeerAddress,
    passwords: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to check a password. Dropping it gives the right to the next one that waits.
pub(super) struct Turn(Option<Arc<PasswordQueue>>);

impl PasswordQueue {
    /// Waits until a password of a client in `network` may be checked; `None` if that takes
    /// longer than `limit`.
    pub(super) async fn turn(
        self: &Arc<Self>,
        network: PeerAddress,
        limit: Duration,
    ) -> Option<Turn> {
        let granted = {
            let mut waiting = self.lock();
            if !waiting.is_busy {
                waiting.is_busy = true;
                return Some(Turn(Some(Arc::clone(self))));
            }
            let (grant, granted) = oneshot::channel();
            waiting.push(network, grant);
            granted
        };
        // A turn that is granted to a client that has gone is dropped with the channel.
        tokio::time::timeout(limit, granted).await.ok()?.ok()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn push(&mut self, prefix: PeerAddress, grant: oneshot::Sender<Turn>) {
        let mut networks = self.networks.iter_mut();
        let Some(network) = networks.find(|network| network.prefix == prefix) else {
            let passwords = VecDeque::from([grant]);
            self.networks.push_back(Network { prefix, passwords });
            return;
        };
        let passwords = &mut network.passwords;
        if passwords.len() == passwords.capacity() {
            // Clients that have gone do not make the queue longer.
            passwords.retain(|grant| !grant.is_closed());
        }
        passwords.push_back(grant);
    }

    /// Takes the next password. Its network comes last afterwards.
    fn pop(&mut self) -> Option<oneshot::Sender<Turn>> {
        while let Some(mut network) = self.networks.pop_front() {
            network.passwords.retain(|grant| !grant.is_closed());
            if let Some(grant) = network.passwords.pop_front() {
                if !network.passwords.is_empty() {
                    self.networks.push_back(network);
                }
                return Some(grant);
            }
        }
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        while let Some(queue) = self.0.take() {
            let next = {
                let mut waiting = queue.lock();
                let next = waiting.pop();
                waiting.is_busy = next.is_some();
                next
            };
            // A client that has gone meanwhile gives the turn back.
            if let Some(Err(mut unused)) = next.map(|grant| grant.send(Turn(Some(queue)))) {
                self.0 = unused.0.take();
            }
        }
    }
}

impl fmt::Debug for PasswordQueue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordQueue(..)")
    }
}
