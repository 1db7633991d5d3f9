//! The bound on requests to all APIs together, so that descriptors remain for scrapes.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::Url;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The requests that may be under way at once. One server leaves a quarter of them to the
/// others, and so do all servers together that did not answer the last time. So a server that
/// accepts connections and never answers keeps back no account of another server.
#[derive(Debug)]
pub(super) struct RequestSlots {
    number: usize,
    all: Semaphore,
    /// Those of servers that did not answer the last time.
    unanswered: Semaphore,
    /// The slots of each server, by scheme, host and port.
    servers: Mutex<HashMap<String, Arc<ServerSlots>>>,
}

/// The slots for requests to one server.
#[derive(Debug)]
pub(super) struct ServerSlots {
    own: Semaphore,
    shared: Arc<RequestSlots>,
    /// `true` unless the last request was not answered.
    answers: AtomicBool,
}

/// The slot of one request. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct RequestSlot<'a> {
    _permits: [Option<SemaphorePermit<'a>>; 3],
}

impl RequestSlots {
    pub(super) fn new(number: usize) -> Arc<Self> {
        let number = number.min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            number,
            all: Semaphore::new(number),
            unanswered: Semaphore::new(most(number)),
            servers: Mutex::default(),
        })
    }

    /// Returns the slots for requests to the server of `url`.
    pub(super) fn of_server(self: &Arc<Self>, url: &Url) -> Arc<ServerSlots> {
        let server = url.origin().ascii_serialization();
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = servers.entry(server).or_insert_with(|| {
            Arc::new(ServerSlots {
                own: Semaphore::new(most(self.number)),
                shared: Arc::clone(self),
                answers: AtomicBool::new(true),
            })
        });
        Arc::clone(slots)
    }
}

impl ServerSlots {
    /// Waits for a slot.
    pub(super) async fn take(&self) -> RequestSlot<'_> {
        // The semaphores are never closed.
        let own = self.own.acquire().await.ok();
        let unanswered = if self.answers.load(Ordering::Relaxed) {
            None
        } else {
            self.shared.unanswered.acquire().await.ok()
        };
        let all = self.shared.all.acquire().await.ok();
        RequestSlot {
            _permits: [own, unanswered, all],
        }
    }

    /// Records whether the last request was answered.
    pub(super) fn record(&self, was_answered: bool) {
        self.answers.store(was_answered, Ordering::Relaxed);
    }
}

/// Returns three quarters of a number, and at least 1.
fn most(number: usize) -> usize {
    (number - number / 4).max(1)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn servers(number: usize) -> Vec<Arc<ServerSlots>> {
        let slots = RequestSlots::new(8);
        let server = |place| {
            let url = format!("https://server-{place}.example/beta/audit");
            slots.of_server(&url.parse().expect("a URL"))
        };
        (0..number).map(server).collect()
    }

    fn take(server: &ServerSlots) -> Option<RequestSlot<'_>> {
        server.take().now_or_never()
    }

    #[test]
    fn a_server_leaves_a_quarter_to_the_others() {
        let servers = servers(2);
        let taken: Vec<_> = (0..6).filter_map(|_| take(&servers[0])).collect();
        assert_eq!(taken.len(), 6);
        assert!(take(&servers[0]).is_none());
        let others: Vec<_> = (0..3).filter_map(|_| take(&servers[1])).collect();
        assert_eq!(others.len(), 2);
        drop(taken);
        assert!(take(&servers[0]).is_some());
    }

    #[test]
    fn servers_that_do_not_answer_leave_a_quarter_to_those_that_do() {
        let servers = servers(10);
        let (last, silent) = servers.split_last().expect("servers");
        for server in silent {
            server.record(false);
        }
        let taken: Vec<_> = silent.iter().filter_map(|server| take(server)).collect();
        assert_eq!(taken.len(), 6);
        assert!(take(last).is_some());
        silent[8].record(true);
        assert!(take(&silent[8]).is_some());
    }

    #[test]
    fn accounts_of_one_server_share_its_slots() {
        let slots = RequestSlots::new(8);
        let of = |url: &str| slots.of_server(&url.parse().expect("a URL"));
        let one = of("https://api.example/a");
        assert!(Arc::ptr_eq(&one, &of("https://api.example:443/b")));
        assert!(!Arc::ptr_eq(&one, &of("http://api.example/a")));
    }
}
